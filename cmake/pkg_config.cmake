# The pkg-config file. It finds everything relative to its own folder, unless a directory was given as an absolute path. Nothing in it depends
# on `prefix`, which pkg-config --define-prefix guesses wrongly where libraries are in lib/x86_64-linux-gnu.
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH pc_to_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" pc_to_prefix "${pc_to_prefix}")
set(pc_prefix "\${pcfiledir}/${pc_to_prefix}")
set(pc_libdir "\${pcfiledir}/..")
set(pc_includedir "${pc_prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  set(pc_prefix ${CMAKE_INSTALL_PREFIX})
  set(pc_libdir ${CMAKE_INSTALL_LIBDIR})
  set(pc_includedir ${CMAKE_INSTALL_FULL_INCLUDEDIR})
endif()
if(IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  set(pc_includedir ${CMAKE_INSTALL_INCLUDEDIR})
endif()
# Not Requires.private: pkg-config would ask those who link the shared library for packages that they do not need.
set(pc_libs_private ${DDAEBM_BLAS_LDFLAGS} ${DDAEBM_JANSSON_LDFLAGS} ${DDAEBM_PNG_LDFLAGS} ${DDAEBM_JPEG_LDFLAGS}
  ${DDAEBM_ZLIB_LDFLAGS} ${DDAEBM_WAV_LDFLAGS} ${DDAEBM_ONEDNN_LDFLAGS} -lpthread -lm)
list(JOIN pc_libs_private " " pc_libs_private)
configure_file(ddaebm.pc.in ddaebm.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/ddaebm.pc DESTINATION ${pkgconfig_dir} COMPONENT development)
