/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: what is accepted can be walked, copied and written, and its text is
 * the same after one more round. */
#include <string.h>

#include <volo/alloc.h>
#include <volo/json.h>

#define CHECK(condition)      \
    do {                      \
        if (!(condition))     \
            __builtin_trap(); \
    } while (0)

static void
walk(volo_json *value, int depth)
{
    volo_json *child = NULL;
    size_t n = 0;
    int64_t i;
    uint64_t u;
    double f;

    CHECK(depth <= 129);
    CHECK(volo_json_type(value) != VOLO_JSON_ABSENT);
    volo_json_i64(&i, value);
    volo_json_u64(&u, value);
    volo_json_f64(&f, value);
    while ((child = volo_json_next(value, child)) != NULL) {
        if (n < 4)
            CHECK(volo_json_at(value, n) == child);
        if (volo_json_type(value) == VOLO_JSON_OBJECT)
            CHECK(volo_json_key(value, child).ptr);
        n++;
        walk(child, depth + 1);
    }
    CHECK(n == volo_json_len(value));
}

/* Change a copy a little, from what is in it. */
static void
edit(volo_json *root)
{
    volo_str key = volo_json_key_at(root, 0);

    if (volo_json_type(root) == VOLO_JSON_ARRAY)
        volo_json_set_value(root, NULL, root);
    if (!key.ptr || memchr(key.ptr, 0, key.len))
        return;
    volo_json_set_value(root, key.ptr, root);
    CHECK(volo_json_remove(root, key.ptr) == 0);
    CHECK(!volo_json_get(root, key.ptr));
}

static volo_str
write_text(const volo_json *value)
{
    volo_str out;

    CHECK(volo_json_write(&out, NULL, value) == 0);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    volo_json *root, *again, *copy;
    volo_str first, second, third;

    if (volo_json_parse(&root, NULL, volo_str_make((const char *)data, size)) <
        0) {
        CHECK(volo_json_error()[0]);
        return 0;
    }
    walk(root, 1);
    first = write_text(root);
    CHECK(volo_json_parse(&again, NULL, first) == 0);
    second = write_text(again);
    CHECK(volo_json_dup(&copy, NULL, root) == 0);
    walk(copy, 1);
    third = write_text(copy);
    CHECK(volo_str_eq(first, second) && volo_str_eq(first, third));
    edit(copy);
    walk(copy, 1);
    volo_json_free(root);
    volo_json_free(again);
    volo_json_free(copy);
    volo_free((char *)(uintptr_t)first.ptr);
    volo_free((char *)(uintptr_t)second.ptr);
    volo_free((char *)(uintptr_t)third.ptr);
    return 0;
}
