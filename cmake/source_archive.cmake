# Leaves out of the sources' archive whatever lies in the project's folder and is none of its own: cpack reads this before it packs.
if(NOT CPACK_SOURCE_PACKAGE_FILE_NAME STREQUAL CPACK_PACKAGE_FILE_NAME) # it is not the sources that are packed
  return()
endif()
set(CPACK_PACKAGING_INSTALL_PREFIX "/")
get_filename_component(root ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)
file(GLOB others RELATIVE ${root} ${root}/* ${root}/.*)
list(REMOVE_ITEM others .ci .clang-format .gitattributes .gitignore CHANGELOG.md CMakeLists.txt CMakePresets.json CONTRIBUTING.md LICENSE
  README.md SECURITY.md bench cmake ddaebm.pc.in docs examples experiments include lib scripts tests tools)
foreach(other ${others})
  string(REGEX REPLACE "([][+.*()^$?|])" "\\\\\\1" other "/${other}")
  list(APPEND CPACK_IGNORE_FILES "${other}$" "${other}/")
endforeach()
