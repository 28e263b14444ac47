/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VOLO_EXTRACT_H
#define VOLO_EXTRACT_H
#include <volo/json.h>
#include <volo/types.h>
#endif
