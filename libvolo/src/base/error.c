/* SPDX-License-Identifier: Apache-2.0 */
/* What the list of errors says about each of them. */
#include <volo/error.h>

const char *
volo_strerror(int err)
{
    switch (err) {
    case VOLO_OK:
        return "success";
#define VOLO_ERROR_X(name, code, status, text) \
    case VOLO_##name:                          \
        return text;
        VOLO_ERRORS(VOLO_ERROR_X)
#undef VOLO_ERROR_X
    default:
        return "unknown error";
    }
}

const char *
volo_error_name(int err)
{
    switch (err) {
    case VOLO_OK:
        return "VOLO_OK";
#define VOLO_ERROR_X(name, code, status, text) \
    case VOLO_##name:                          \
        return "VOLO_" #name;
        VOLO_ERRORS(VOLO_ERROR_X)
#undef VOLO_ERROR_X
    default:
        return "unknown";
    }
}

int
volo_error_status(int err)
{
    switch (err) {
    case VOLO_OK:
        return 200;
#define VOLO_ERROR_X(name, code, status, text) \
    case VOLO_##name:                          \
        return status;
        VOLO_ERRORS(VOLO_ERROR_X)
#undef VOLO_ERROR_X
    default:
        return 500;
    }
}
