# SPDX-License-Identifier: Apache-2.0
# What libvolo stands on: from the system where it is there, else (llhttp and
# yyjson only) from a pinned and hash-checked source package.  With
# VOLO_BUNDLE, what is built stands alone: all of it comes from such packages.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
# volo_fetch(requirement into): get a source package of the Python index.
function(volo_fetch requirement into)
  string(REGEX REPLACE "==.*" "" name "${requirement}")
  # A wheel's interpreter has pip in its build environment; others may not.
  set(python "${Python_EXECUTABLE}")
  if(NOT python)
    find_program(VOLO_PIP_PYTHON NAMES python3 REQUIRED)
    set(python "${VOLO_PIP_PYTHON}")
  endif()
  message(STATUS "Fetching ${requirement}")
  set(fetch "${python}" -m pip download --quiet --no-deps
    --no-binary "${name}" --dest "${into}" "${requirement}")
  execute_process(COMMAND ${fetch} RESULT_VARIABLE failed ERROR_QUIET)
  if(failed)
    # The pip of Ubuntu 22.04 builds with the system's setuptools, which
    # can't read today's packages: once more with a pip of our own.
    set(pip "${CMAKE_BINARY_DIR}/_pip")
    execute_process(COMMAND "${python}" -m pip install --quiet
      --upgrade --target "${pip}" pip OUTPUT_QUIET ERROR_QUIET)
    execute_process(
      COMMAND ${CMAKE_COMMAND} -E env "PYTHONPATH=${pip}" ${fetch}
      RESULT_VARIABLE failed ERROR_VARIABLE why)
  endif()
  if(failed)
    message(FATAL_ERROR "Cannot fetch ${requirement}: ${why}")
  endif()
endfunction()

# volo_source_package(OUT requirement file sha256): unpack a source package
# below the build tree; OUT is the folder.  It is looked for where the
# environment's VOLO_SOURCES says, then kept where the variable of that name
# says, if the packages are to be kept.
function(volo_source_package out requirement archive sha256)
  set(tree "${CMAKE_BINARY_DIR}/_sources")
  set(base "${tree}")
  if(VOLO_SOURCES)
    set(base "${VOLO_SOURCES}")
  endif()
  set(file "${base}/${archive}")
  file(MAKE_DIRECTORY "${base}" "${tree}")
  if(NOT EXISTS "${file}" AND EXISTS "$ENV{VOLO_SOURCES}/${archive}")
    file(COPY "$ENV{VOLO_SOURCES}/${archive}" DESTINATION "${base}")
  endif()
  if(NOT EXISTS "${file}")
    volo_fetch(${requirement} "${base}")
  endif()
  file(SHA256 "${file}" got)
  if(NOT got STREQUAL sha256)
    file(REMOVE "${file}")
    message(FATAL_ERROR "${archive} has SHA-256 ${got}, not ${sha256}")
  endif()
  string(REGEX REPLACE "\\.tar\\.gz$" "" name "${archive}")
  if(NOT EXISTS "${tree}/${name}")
    file(ARCHIVE_EXTRACT INPUT "${file}" DESTINATION "${tree}")
  endif()
  set(${out} "${tree}/${name}" PARENT_SCOPE)
endfunction()

# libuv >= 1.42.  What stands alone has it inside, for which the archives that
# systems have will not do: they can't go into a shared object.
if(VOLO_BUNDLE)
  volo_source_package(dir uvloop==0.23.0 uvloop-0.23.0.tar.gz
    28d160f51ab4da3b187063652e643dea6831072add4adc1e6d62afbe73b6be27)
  foreach(option LIBUV_BUILD_SHARED LIBUV_BUILD_TESTS BUILD_TESTING)
    set(${option} OFF CACHE INTERNAL "")
  endforeach()
  add_subdirectory(${dir}/vendor/libuv _libuv EXCLUDE_FROM_ALL)
  target_compile_options(uv_a PRIVATE -w)
  add_library(PkgConfig::LIBUV ALIAS uv_a)
  list(APPEND VOLO_LICENSES libuv ${dir}/vendor/libuv/LICENSE
    libuv-extra ${dir}/vendor/libuv/LICENSE-extra)
else()
  pkg_check_modules(LIBUV REQUIRED IMPORTED_TARGET libuv>=1.42)
endif()

# OpenSSL >= 3.0.  Its archives can go into a shared object, and what stands
# alone has them inside.
if(VOLO_BUNDLE)
  set(OPENSSL_USE_STATIC_LIBS TRUE)
endif()
find_package(OpenSSL 3.0 REQUIRED)
if(VOLO_BUNDLE AND EXISTS /usr/share/doc/libssl-dev/copyright)
  list(APPEND VOLO_LICENSES openssl /usr/share/doc/libssl-dev/copyright)
endif()

# nghttp2 >= 1.43, which Ubuntu 22.04 has.  What is missing in old ones (the
# priorities of RFC 9218) is left out, what they do not know to be an attack is
# met by ourselves.
if(VOLO_BUNDLE)
  volo_source_package(dir ngh2==0.3.0 ngh2-0.3.0.tar.gz
    09b995aa65b8a397de652fd7a9b3877d6d1e24c10d2effc36204a3f37aa73440)
  set(dir ${dir}/vendor/nghttp2)
  set(into ${CMAKE_BINARY_DIR}/_nghttp2)
  set(PACKAGE_VERSION 1.70.0)
  set(PACKAGE_VERSION_NUM 0x014600)
  configure_file(${dir}/lib/includes/nghttp2/nghttp2ver.h.in
    ${into}/nghttp2/nghttp2ver.h @ONLY)
  file(GLOB sources ${dir}/lib/*.c)
  add_library(volo_nghttp2 STATIC EXCLUDE_FROM_ALL ${sources})
  target_include_directories(volo_nghttp2 SYSTEM PUBLIC ${into}
    ${dir}/lib/includes)
  target_compile_definitions(volo_nghttp2 PUBLIC NGHTTP2_STATICLIB
    PRIVATE BUILDING_NGHTTP2 HAVE_ARPA_INET_H HAVE_NETINET_IN_H HAVE_TIME_H
    HAVE_CLOCK_GETTIME HAVE_DECL_CLOCK_MONOTONIC=1)
  target_compile_options(volo_nghttp2 PRIVATE -w -O3)
  add_library(PkgConfig::NGHTTP2 ALIAS volo_nghttp2)
  list(APPEND VOLO_LICENSES nghttp2 ${dir}/COPYING)
else()
  pkg_check_modules(NGHTTP2 REQUIRED IMPORTED_TARGET libnghttp2>=1.43)
endif()

# llhttp >= 9.3 (the holes of 8.x are known): libllhttp.pc or a CMake config.
if(NOT VOLO_BUNDLE)
  pkg_check_modules(LLHTTP QUIET IMPORTED_TARGET libllhttp>=9.3)
  pkg_check_modules(YYJSON QUIET IMPORTED_TARGET yyjson>=0.9)
endif()
if(LLHTTP_FOUND)
  add_library(volo_llhttp INTERFACE)
  target_link_libraries(volo_llhttp INTERFACE PkgConfig::LLHTTP)
else()
  volo_source_package(dir httptools==0.9.0 httptools-0.9.0.tar.gz
    d484ebb7e3a3f3597b0f645fbd1b85633674ca808c1f5ba11c2caf7c66f5c8b6)
  add_library(volo_llhttp_objects OBJECT ${dir}/vendor/llhttp/src/api.c
    ${dir}/vendor/llhttp/src/http.c ${dir}/vendor/llhttp/src/llhttp.c)
  target_include_directories(volo_llhttp_objects SYSTEM PUBLIC
    ${dir}/vendor/llhttp/include)
  target_compile_options(volo_llhttp_objects PRIVATE -w -O3)
  add_library(volo_llhttp INTERFACE)
  target_include_directories(volo_llhttp SYSTEM INTERFACE
    ${dir}/vendor/llhttp/include)
  list(APPEND VOLO_LICENSES llhttp ${dir}/vendor/llhttp/LICENSE)
  set(VOLO_LLHTTP_OBJECTS $<TARGET_OBJECTS:volo_llhttp_objects>)
endif()

if(YYJSON_FOUND)
  add_library(volo_yyjson INTERFACE)
  target_link_libraries(volo_yyjson INTERFACE PkgConfig::YYJSON)
else()
  volo_source_package(dir yyjson==4.0.6 yyjson-4.0.6.tar.gz
    fcd4dc15c1e39a30bf9fa85d56903029111506860fc3080ab0d81c6c6dacaa8c)
  add_library(volo_yyjson_objects OBJECT ${dir}/yyjson/yyjson.c)
  target_include_directories(volo_yyjson_objects SYSTEM PUBLIC ${dir}/yyjson)
  target_compile_options(volo_yyjson_objects PRIVATE -w -O3)
  add_library(volo_yyjson INTERFACE)
  target_include_directories(volo_yyjson SYSTEM INTERFACE ${dir}/yyjson)
  # Its licence is on top of the source.
  file(READ ${dir}/yyjson/yyjson.h text LIMIT 1500)
  string(REGEX MATCH "Copyright[^=]*SOFTWARE\\." text "${text}")
  file(WRITE ${CMAKE_BINARY_DIR}/_sources/yyjson-license "${text}\n")
  list(APPEND VOLO_LICENSES yyjson
    ${CMAKE_BINARY_DIR}/_sources/yyjson-license)
  set(VOLO_YYJSON_OBJECTS $<TARGET_OBJECTS:volo_yyjson_objects>)
endif()
