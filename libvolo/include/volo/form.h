/* SPDX-License-Identifier: Apache-2.0 */
/* Forms, and lists of values of one name. */
#ifndef VOLO_FORM_H
#define VOLO_FORM_H

#include <volo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct volo_list volo_list; /* values of one name, in order */

/** volo_list_len(list): how many; 0 for NULL.    @since 0.1 */
VOLO_API size_t volo_list_len(const volo_list *list);

/** volo_list_at(list, i): one of them; absent beyond the end.    @since 0.1 */
VOLO_API volo_str volo_list_at(const volo_list *list, size_t i);

/** volo_form_parse(out, cx, text): an application/x-www-form-urlencoded text
 * taken apart and decoded, in memory of ${cx}.  Errors: VOLO_EFORMAT,
 * VOLO_ENOMEM.    @since 0.1 */
VOLO_API int volo_form_parse(volo_form **out, volo_cx *cx, volo_str text);

/** volo_form_get(form, name): the first value; absent if none.    @since 0.1 */
VOLO_API volo_str volo_form_get(const volo_form *form, const char *name);

/** volo_form_len(form): how many pairs it has.    @since 0.1 */
VOLO_API size_t volo_form_len(const volo_form *form);

/** volo_form_at(form, i, name, value): pair ${i}, in order.    @since 0.1 */
VOLO_API void volo_form_at(const volo_form *form, size_t i, volo_str *name,
                           volo_str *value);

#ifdef __cplusplus
}
#endif

#endif
