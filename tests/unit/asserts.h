/* SPDX-License-Identifier: Apache-2.0 */
/* cmocka in its order, and what it does not know: a volo_str. */
#ifndef VOLO_TESTS_UNIT_ASSERTS_H
#define VOLO_TESTS_UNIT_ASSERTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <volo/types.h>

#define assert_str(got, want)                          \
    do {                                               \
        volo_str got_ = (got);                         \
        assert_non_null(got_.ptr);                     \
        assert_int_equal(got_.len, strlen(want));      \
        assert_memory_equal(got_.ptr, want, got_.len); \
    } while (0)

#define assert_absent(got) assert_null((got).ptr)

#endif
