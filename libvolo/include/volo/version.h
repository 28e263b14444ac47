/* SPDX-License-Identifier: Apache-2.0 */
/* Which libvolo this header is of, and which one is linked. */
#ifndef VOLO_VERSION_H
#define VOLO_VERSION_H

#include <volo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VOLO_VERSION_MAJOR 0
#define VOLO_VERSION_MINOR 1
#define VOLO_VERSION_PATCH 0

/** VOLO_VERSION: major * 65536 + minor * 256 + patch, of the headers. */
#define VOLO_VERSION                                          \
    ((VOLO_VERSION_MAJOR << 16) | (VOLO_VERSION_MINOR << 8) | \
     VOLO_VERSION_PATCH)

/**
 * volo_version():
 * The version of the library that is linked, in the form of VOLO_VERSION.
 * Any thread.
 * @since 0.1
 */
VOLO_API uint32_t volo_version(void);

/**
 * volo_version_text():
 * The same as text, such as "0.1.0"; static.  Any thread.
 * @since 0.1
 */
VOLO_API const char *volo_version_text(void);

#ifdef __cplusplus
}
#endif

#endif
