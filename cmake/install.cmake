# What is installed: the library, its headers, the pkg-config file, the CMake package; the command; man pages and the licence.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/ddaebm)
foreach(kind shared static)
  if(TARGET ddaebm_${kind})
    install(TARGETS ddaebm_${kind} EXPORT ddaebm_${kind}
      LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT development
      ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
    install(EXPORT ddaebm_${kind} NAMESPACE ddaebm:: DESTINATION ${package_dir} COMPONENT development)
  endif()
endforeach()
install(DIRECTORY include/ddaebm DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
include(cmake/pkg_config.cmake)

configure_package_config_file(cmake/ddaebmConfig.cmake.in ddaebmConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/ddaebmConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/ddaebmConfig.cmake ${PROJECT_BINARY_DIR}/ddaebmConfigVersion.cmake DESTINATION ${package_dir}
  COMPONENT development)
install(FILES cmake/find_blas.cmake DESTINATION ${package_dir} COMPONENT development RENAME ddaebm_blas.cmake)

# The command finds the shared library beside it wherever the prefix is moved, unless it is where every program looks.
if(TARGET ddaebm_command)
  if(ddaebm_default_kind STREQUAL shared AND NOT CMAKE_INSTALL_FULL_LIBDIR IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES)
    file(RELATIVE_PATH bin_to_lib ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
    set_target_properties(ddaebm_command PROPERTIES INSTALL_RPATH "$ORIGIN/${bin_to_lib}")
  endif()
  install(TARGETS ddaebm_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tools)
  configure_file(docs/man/ddaebm.1.in ddaebm.1 @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/ddaebm.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT tools)
  # Shells find completions in the folders of their own prefix; zsh, as Debian has it, in another one for packages.
  set(zsh_dir ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  if(CMAKE_INSTALL_PREFIX STREQUAL /usr AND EXISTS /etc/debian_version)
    set(zsh_dir ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
  endif()
  set(DDAEBM_ZSH_COMPLETION_DIR ${zsh_dir} CACHE STRING "Where zsh's completion of the command is installed")
  install(FILES tools/completion/ddaebm.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT tools RENAME ddaebm)
  install(FILES tools/completion/ddaebm.zsh DESTINATION ${DDAEBM_ZSH_COMPLETION_DIR} COMPONENT tools RENAME _ddaebm)
endif()

configure_file(docs/man/libddaebm.3.in libddaebm.3 @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/libddaebm.3 DESTINATION ${CMAKE_INSTALL_MANDIR}/man3 COMPONENT development)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT runtime RENAME copyright)
