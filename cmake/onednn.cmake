# oneDNN: whether its headers are here and of a version that fits. DDAEBM_ONEDNN_FOUND, DDAEBM_ONEDNN_INCLUDE, DDAEBM_ONEDNN_LDFLAGS
# It is loaded when it is first needed, so that its headers are enough to build. Its threads must be OpenMP's or none: a part of a step keeps
# to its own thread.
include(CheckCSourceCompiles)
set(DDAEBM_ONEDNN_FOUND FALSE)
if(DDAEBM_ONEDNN)
  find_path(DDAEBM_ONEDNN_INCLUDE oneapi/dnnl/dnnl.h)
  if(DDAEBM_ONEDNN_INCLUDE)
    set(CMAKE_REQUIRED_INCLUDES ${DDAEBM_ONEDNN_INCLUDE})
    set(CMAKE_REQUIRED_FLAGS -w)
    check_c_source_compiles("#include <oneapi/dnnl/dnnl.h>
      #if DNNL_VERSION_MAJOR != 2 || (DNNL_CPU_THREADING_RUNTIME != DNNL_RUNTIME_OMP && DNNL_CPU_THREADING_RUNTIME != DNNL_RUNTIME_SEQ)
      #error
      #endif
      int main(void) { return 0; }" DDAEBM_ONEDNN_FITS)
    unset(CMAKE_REQUIRED_INCLUDES)
    unset(CMAKE_REQUIRED_FLAGS)
  endif()
  if(DDAEBM_ONEDNN_FITS)
    set(DDAEBM_ONEDNN_FOUND TRUE)
    list(TRANSFORM CMAKE_DL_LIBS PREPEND -l OUTPUT_VARIABLE DDAEBM_ONEDNN_LDFLAGS)
    message(STATUS "Convolutions: oneDNN (headers in ${DDAEBM_ONEDNN_INCLUDE}) where it is installed, and BLAS")
  elseif(DDAEBM_ONEDNN STREQUAL AUTO)
    message(STATUS "Convolutions: BLAS alone; oneDNN of version 2 with OpenMP is not here (Debian: libdnnl-dev)")
  else()
    message(FATAL_ERROR "DDAEBM_ONEDNN is ON, but oneDNN of version 2 with OpenMP is not here (Debian: libdnnl-dev)")
  endif()
endif()
