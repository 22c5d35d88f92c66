# Targets for whoever works on the project itself, or installs it: no host sees them.
if(DDAEBM_INSTALL)
  configure_file(cmake/uninstall.cmake.in uninstall.cmake @ONLY)
  add_custom_target(uninstall COMMAND ${CMAKE_COMMAND} -P ${PROJECT_BINARY_DIR}/uninstall.cmake
    COMMENT "Removing what the last install from this folder wrote")
endif()

find_program(DDAEBM_DOXYGEN doxygen)
if(DDAEBM_DOXYGEN)
  add_custom_target(doc COMMAND ${CMAKE_COMMAND} -E env DDAEBM_DOC_OUTPUT=${PROJECT_BINARY_DIR}/doc ${DDAEBM_DOXYGEN} docs/Doxyfile
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} COMMENT "Building the reference in ${PROJECT_BINARY_DIR}/doc")
endif()
