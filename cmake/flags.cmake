# How everything here is compiled, whatever the build around it says for itself: all of this holds in this folder and below it.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_UNITY_BUILD OFF) # a file's static names are its own, and some are compiled with flags of their own

# A level of optimisation in CMAKE_C_FLAGS (or in the environment's CFLAGS) holds: a build type's own would come after it. Where nothing is said
# at all, a host's build type is left alone, and its own files as they are; but loops over numbers without optimisation take ten times as long.
if(CMAKE_C_FLAGS MATCHES "(^| )-O")
  foreach(type RELEASE RELWITHDEBINFO MINSIZEREL)
    string(REGEX REPLACE "(^| )-O[^ ]*" "" CMAKE_C_FLAGS_${type} "${CMAKE_C_FLAGS_${type}}")
  endforeach()
elseif(NOT DDAEBM_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  add_compile_options(-O3)
endif()
if(DDAEBM_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

if(NOT DDAEBM_IS_TOP_LEVEL)
  add_compile_options(-w) # a host's warnings, and which of them are errors, are for the host's code
endif()

# Results are the same bits, and what is not finite is found, in a build with -ffast-math or -Ofast, too: it is undone part by part, since
# each may have been given alone. (To clang the first flag is all of them, and -ftrapping-math would keep loops from being vectorised.)
if(CMAKE_C_COMPILER_ID STREQUAL GNU)
  add_compile_options("SHELL:-fno-fast-math -fno-unsafe-math-optimizations -fno-finite-math-only -fno-associative-math -fno-reciprocal-math \
-fsigned-zeros -ftrapping-math -fmath-errno -fno-rounding-math -fno-single-precision-constant -ffp-contract=off")
else()
  add_compile_options("SHELL:-fno-fast-math -ffp-contract=off")
endif()
add_link_options("SHELL:-fno-fast-math -fno-unsafe-math-optimizations") # gcc links what sets flush-to-zero when the library is loaded

if(DDAEBM_IS_TOP_LEVEL)
  add_compile_options(-Wall -Wextra -Wconversion -Wshadow)
endif()
if(DDAEBM_WERROR)
  add_compile_options(-Werror)
endif()
if(DDAEBM_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID STREQUAL Clang)
    message(FATAL_ERROR "DDAEBM_FUZZ is ON: libFuzzer comes with clang, and this is ${CMAKE_C_COMPILER_ID}")
  endif()
  string(APPEND CMAKE_C_FLAGS " -fsanitize=fuzzer-no-link,address,undefined,float-cast-overflow -fno-sanitize-recover=all -fno-omit-frame-pointer")
endif()
