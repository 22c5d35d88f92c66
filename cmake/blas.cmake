# The BLAS: which one, where its header is, and whether both fit together and the library.
include(cmake/find_blas.cmake)
set(ddaebm_blas_names ${DDAEBM_BLAS})
if(DDAEBM_BLAS STREQUAL AUTO)
  set(ddaebm_blas_names openblas blis cblas blas)
endif()
set(DDAEBM_BLAS_FOUND FALSE)
foreach(name ${ddaebm_blas_names})
  if(NOT DDAEBM_BLAS_FOUND)
    ddaebm_find_blas(${name})
    set(DDAEBM_BLAS_NAME ${name})
  endif()
endforeach()
if(NOT DDAEBM_BLAS_FOUND)
  list(JOIN ddaebm_blas_names ", " names)
  message(FATAL_ERROR "No BLAS: neither pkg-config nor the folders of libraries have ${names} (Debian: libopenblas-dev). "
    "-DDDAEBM_BLAS=NAME takes another by its name for pkg-config, or by its folder's (blis, blis-serial)")
endif()

# Its own header before any other: that of its pkg-config file or its flavour's folder, and then what the system has under the usual names.
set(names cblas.h mkl_cblas.h)
if(DDAEBM_BLAS_NAME MATCHES "64")
  list(PREPEND names cblas64.h)
endif()
unset(ddaebm_blas_header CACHE)
find_file(ddaebm_blas_header NAMES ${names} PATHS ${DDAEBM_BLAS_INCLUDE_DIRS} PATH_SUFFIXES ${DDAEBM_BLAS_NAME} NO_DEFAULT_PATH)
find_file(ddaebm_blas_header NAMES ${names} PATH_SUFFIXES ${DDAEBM_BLAS_NAME})
mark_as_advanced(ddaebm_blas_header)
if(NOT ddaebm_blas_header)
  message(FATAL_ERROR "The BLAS ${DDAEBM_BLAS_NAME} (${DDAEBM_BLAS_LIBRARY}) is here without its header, cblas.h")
endif()
set(DDAEBM_BLAS_HEADER ${ddaebm_blas_header})
set(DDAEBM_BLAS_DEFINITION "DDAEBM_CBLAS_HEADER=\"${DDAEBM_BLAS_HEADER}\"")

# Compiled (without the host's warnings), linked and, unless the program is for another machine that nothing here imitates, run: once for
# each library and header.
set(pair "${DDAEBM_BLAS_LIBRARY} with ${DDAEBM_BLAS_HEADER}")
if(NOT DDAEBM_BLAS_CHECKED STREQUAL pair)
  set(check_blas ${PROJECT_BINARY_DIR}/CMakeFiles/check_blas ${PROJECT_SOURCE_DIR}/cmake/check_blas.c
    CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${DDAEBM_BLAS_INCLUDE_DIRS}"
    COMPILE_DEFINITIONS -w -D${DDAEBM_BLAS_DEFINITION} ${DDAEBM_BLAS_CFLAGS} LINK_LIBRARIES ddaebm::blas)
  if(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
    try_compile(compiles ${check_blas} OUTPUT_VARIABLE output)
    set(result 0)
    message(STATUS "BLAS: compiled and linked for another machine, not run")
  else()
    unset(result CACHE)
    try_run(result compiles ${check_blas} COMPILE_OUTPUT_VARIABLE output RUN_OUTPUT_VARIABLE said)
  endif()
  if(NOT compiles)
    message(FATAL_ERROR "The BLAS ${DDAEBM_BLAS_LIBRARY} has no cblas_sgemm as ${DDAEBM_BLAS_HEADER} declares it:\n${output}")
  elseif(result EQUAL 2)
    message(FATAL_ERROR "The BLAS ${DDAEBM_BLAS_LIBRARY} takes integers of 64 bits, but its header ${DDAEBM_BLAS_HEADER} says 32: "
      "install the library's own header, or choose another BLAS by -DDDAEBM_BLAS=NAME")
  elseif(result EQUAL 3)
    message(FATAL_ERROR "The BLAS ${DDAEBM_BLAS_LIBRARY} takes integers of 32 bits, but its header ${DDAEBM_BLAS_HEADER} says 64: "
      "install the library's own header, or choose another BLAS by -DDDAEBM_BLAS=NAME")
  elseif(NOT result EQUAL 0)
    message(FATAL_ERROR "The BLAS ${DDAEBM_BLAS_LIBRARY}, by its header ${DDAEBM_BLAS_HEADER}, gives wrong products "
      "(cmake/check_blas.c: ${result}): choose another by -DDDAEBM_BLAS=NAME\n${said}")
  endif()
  set(DDAEBM_BLAS_CHECKED "${pair}" CACHE INTERNAL "The library and the header that cmake/check_blas.c found in order")
endif()
message(STATUS "BLAS: ${DDAEBM_BLAS_NAME}, ${pair}")

# Which of Debian's packages has it, to link the static library.
set(DDAEBM_BLAS_DEBIAN_PACKAGE "")
if(DDAEBM_BLAS_NAME MATCHES "^(openblas|blis)")
  set(DDAEBM_BLAS_DEBIAN_PACKAGE lib${DDAEBM_BLAS_NAME}-dev)
elseif(DDAEBM_BLAS_NAME MATCHES "^blas(-netlib)?$")
  set(DDAEBM_BLAS_DEBIAN_PACKAGE libblas-dev)
elseif(DDAEBM_BLAS_NAME STREQUAL blas-atlas)
  set(DDAEBM_BLAS_DEBIAN_PACKAGE libatlas-base-dev)
endif()
