# What Debian's packages hold beside what is installed: packed man pages and, in each, the licence and a changelog. cpack runs this when all is
# installed, before it packs.
if(NOT CPACK_GENERATOR STREQUAL DEB)
  return()
endif()
get_filename_component(root ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)
string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC) # that of SOURCE_DATE_EPOCH where it is set

foreach(component ${CPACK_COMPONENTS_ALL})
  string(TOUPPER ${component} COMPONENT)
  set(staged ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/${component})
  set(doc ${staged}/usr/share/doc/${CPACK_DEBIAN_${COMPONENT}_PACKAGE_NAME})
  file(REMOVE_RECURSE ${staged}/usr/share/doc)
  configure_file(${root}/LICENSE ${doc}/copyright COPYONLY)
  file(WRITE ${doc}/changelog "ddaebm (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium

  * Made by cpack. CHANGELOG.md in the sources says what is new.

 -- ${CPACK_PACKAGE_CONTACT}  ${now}
")
  file(GLOB pages ${staged}/usr/share/man/man[1-9]/*.[1-9])
  execute_process(COMMAND gzip -9nf ${doc}/changelog ${pages} RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "gzip does not pack ${doc}/changelog ${pages}: ${failed}")
  endif()
endforeach()
