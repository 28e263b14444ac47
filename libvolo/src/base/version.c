/* SPDX-License-Identifier: Apache-2.0 */
/* Which libvolo this is. */
#include <volo/version.h>

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

uint32_t
volo_version(void)
{
    return VOLO_VERSION;
}

const char *
volo_version_text(void)
{
    return TEXT(VOLO_VERSION_MAJOR) "." TEXT(VOLO_VERSION_MINOR) "." TEXT(
        VOLO_VERSION_PATCH);
}
