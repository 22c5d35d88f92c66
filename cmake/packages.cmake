# `cpack -G DEB` makes Debian's three packages, `cpack -G TGZ` an archive of everything. For Debian configure with -DCMAKE_INSTALL_PREFIX=/usr
# (preset `package`), so that libraries go where Debian has them. DEBFULLNAME and DEBEMAIL name who makes them, as Debian's own tools have it.
set(CPACK_PACKAGE_CONTACT "The libddaebm authors <libddaebm@packages.invalid>")
if(DEFINED ENV{DEBFULLNAME} AND DEFINED ENV{DEBEMAIL})
  set(CPACK_PACKAGE_CONTACT "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
endif()
set(CPACK_PACKAGE_VENDOR "libddaebm")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}) # where the tools find the library that is not installed yet
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/debian_files.cmake)
set(CPACK_POST_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/debian_control.cmake)

set(runtime_package libddaebm${DDAEBM_SOVERSION})
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "\
A model is trained on points, rows of numbers or images. It draws new ones
without a Markov chain, and scores how ordinary any one is.
.
This is the shared library.")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME ${runtime_package})
if(DDAEBM_ONEDNN_FOUND)
  set(CPACK_DEBIAN_RUNTIME_PACKAGE_RECOMMENDS libdnnl2) # loaded if it is there
endif()

set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "\
A model is trained on points, rows of numbers or images. It draws new ones
without a Markov chain, and scores how ordinary any one is.
.
These are the headers for C and C++, the static library, the pkg-config file
and the CMake package.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libddaebm-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "${runtime_package} (= ${PROJECT_VERSION}), libc6-dev")
set(static_needs ${DDAEBM_BLAS_DEBIAN_PACKAGE} libjansson-dev)
foreach(pair PNG:libpng-dev JPEG:libjpeg-dev ZLIB:zlib1g-dev WAV:libsndfile1-dev)
  string(REPLACE ":" ";" pair ${pair})
  list(GET pair 0 module)
  list(GET pair 1 package)
  if(DDAEBM_${module}_FOUND)
    list(APPEND static_needs ${package})
  endif()
endforeach()
list(JOIN static_needs ", " static_needs)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS "pkg-config, cmake, ${static_needs}") # the libraries: to link the static one

set(CPACK_COMPONENT_TOOLS_DESCRIPTION "\
A model is trained on points, rows of numbers or images. It draws new ones
without a Markov chain, and scores how ordinary any one is.
.
This is the command ddaebm, which trains models, draws samples and densities,
and scores data.")
set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME ddaebm-tools)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION science)
set(CPACK_DEBIAN_TOOLS_PACKAGE_DEPENDS "${runtime_package} (>= ${PROJECT_VERSION})") # dpkg-shlibdeps does not know packages that are being made

# `cpack --config CPackSourceConfig.cmake` archives the sources: what belongs to the project and nothing that lies beside it.
set(CPACK_SOURCE_GENERATOR TGZ)
set(CPACK_SOURCE_PACKAGE_FILE_NAME ddaebm-${PROJECT_VERSION})
set(CPACK_SOURCE_IGNORE_FILES "/\\\\.git/" "/\\\\.git$" "/build[^/]*/" "/__pycache__/" "~$" "\\\\.swp$")
set(CPACK_PROJECT_CONFIG_FILE ${PROJECT_SOURCE_DIR}/cmake/source_archive.cmake)

include(CPack)
