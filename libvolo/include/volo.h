/* SPDX-License-Identifier: Apache-2.0 */
/* The whole of libvolo, in the order in which it is best learnt. */
#ifndef VOLO_H
#define VOLO_H

#include <volo/types.h>
#include <volo/error.h>
#include <volo/version.h>
#include <volo/alloc.h>
#include <volo/field.h>
#include <volo/http.h>
#include <volo/request.h>
#include <volo/response.h>
#include <volo/cx.h>
#include <volo/service.h>
#include <volo/router.h>
#include <volo/route.h>
#include <volo/nest.h>
#include <volo/json.h>
#include <volo/reply.h>
#include <volo/form.h>
#include <volo/extract.h>
#include <volo/body.h>
#include <volo/writer.h>
#include <volo/loop.h>
#include <volo/layers.h>
#include <volo/queue.h>
#include <volo/queue_layer.h>
#include <volo/tls.h>
#include <volo/listen.h>
#include <volo/server.h>
#include <volo/test.h>

#endif
