# The compiler, its warnings and its hardening: the same for every room.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  message(FATAL_ERROR "Remit is built with clang-19 (CXX=clang++-19): g++ 12 miscompiles C++20 "
                      "coroutines (docs/decisions/0001-clang-19.md).")
endif()

find_program(REMIT_CCACHE ccache)
if(REMIT_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${REMIT_CCACHE}")
endif()

set(CMAKE_CXX_FLAGS_DEV "-O1 -gline-tables-only")
set(CMAKE_CXX_FLAGS_RELEASE "-O3 -gline-tables-only -DNDEBUG")

add_compile_options(
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast
  -Wimplicit-fallthrough -Wthread-safety -Wdangling -Werror
  -fstack-protector-strong -fcf-protection=full -ftrivial-auto-var-init=zero -D_GLIBCXX_ASSERTIONS
  "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
# Not beside sanitizers, which do this themselves.
set(REMIT_FORTIFY -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
if(NOT REMIT_SANITIZE)
  add_compile_options(${REMIT_FORTIFY})
endif()
add_link_options(-fuse-ld=lld-19 -Wl,-z,relro,-z,now,-z,noexecstack)
# clang's precompiled headers depend on time stamps unless told otherwise; ccache needs this.
add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
include_directories("${CMAKE_SOURCE_DIR}/src")

set(REMIT_SANITIZE "" CACHE STRING "sanitizers: address,undefined or thread or empty")
if(REMIT_SANITIZE)
  add_compile_options(-fsanitize=${REMIT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${REMIT_SANITIZE})
endif()
option(REMIT_COVERAGE "record which lines tests run" OFF)
if(REMIT_COVERAGE)
  add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fprofile-instr-generate)
endif()
# What runs often, as tools/profile/train saw it. An old profile is no error: functions that changed
# since are built without one. docs/decisions/0014-profile-guided-release.md
option(REMIT_TRAIN "count what runs, for tools/profile/train" OFF)
set(REMIT_PROFILE "${CMAKE_SOURCE_DIR}/data/release.profdata")
# Static functions by their file's name alone: the same in every checkout.
set(profile_names "SHELL:-mllvm -static-func-full-module-prefix=false")
if(REMIT_TRAIN)
  add_compile_options(-fprofile-generate "${profile_names}")
  add_link_options(-fprofile-generate)
elseif(CMAKE_BUILD_TYPE STREQUAL "Release" AND EXISTS "${REMIT_PROFILE}")
  # Its hash stands in every command, so that a new profile compiles everything anew.
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${REMIT_PROFILE}")
  file(SHA256 "${REMIT_PROFILE}" profile_hash)
  add_compile_options("-fprofile-use=${REMIT_PROFILE}" "${profile_names}"
                      "-DREMIT_PROFILE_HASH=${profile_hash}"
                      -Wno-profile-instr-unprofiled -Wno-profile-instr-out-of-date -Wno-backend-plugin)
endif()
option(REMIT_FUZZ "build fuzz targets with libFuzzer instead of replaying their seeds" OFF)
if(REMIT_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
