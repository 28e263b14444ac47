// SPDX-License-Identifier: Apache-2.0

package cvolo

/*
#include <stdlib.h>
#include "go.h"
*/
import "C"

import (
	"strings"
	"unsafe"
)

// Slot is a service in a C router whose handler is known when it starts.
type Slot struct{ at *C.struct_volo__go_slot }

// NewSlot makes one, and the service that it is, the caller's to unref.
func NewSlot() (Slot, Volo_service, int) {
	var slot Slot
	var service *C.volo_service
	err := int(C.volo__go_slot_new(&slot.at, &service))
	return slot, SwigcptrVolo_service(unsafe.Pointer(service)), err
}

// Clear answers 503 from now on; while nothing runs.
func (s Slot) Clear() { C.volo__go_slot_set(s.at, nil) }

// SetQueue puts what comes on a queue, with a number: at once if it streams,
// else with the body.  If it is small, what has a small body or none comes with
// it even so.
func (s Slot) SetQueue(queue Volo_queue, route uintptr, streaming, small bool) int {
	service, err := queued(queue, route, streaming)
	if err != 0 {
		return err
	}
	if err = int(C.volo__go_slot_set(s.at, service)); err != 0 || !small {
		return err
	}
	if service, err = queued(queue, route, false); err != 0 {
		return err
	}
	return int(C.volo__go_slot_set_small(s.at, service))
}

func queued(queue Volo_queue, route uintptr, streaming bool) (*C.volo_service, int) {
	var service *C.volo_service
	var flag C.int
	if streaming {
		flag = 1
	}
	err := C.volo__go_queued(&service, (*C.volo_queue)(pointer(queue.Swigcptr())),
		C.uintptr_t(route), flag)
	return service, int(err)
}

// SetInline gives what comes to Inline, on the loop's thread.
func (s Slot) SetInline(program, route uintptr) int {
	var service *C.volo_service
	if err := C.volo__go_inline(&service, C.uintptr_t(program), C.uintptr_t(route)); err != 0 {
		return int(err)
	}
	return int(C.volo__go_slot_set(s.at, service))
}

// Given is an array of jobs that C lends, which may be longer than ours.
type Given struct {
	at     unsafe.Pointer
	stride uintptr
	Count  int
}

// At is job number i.
func (g Given) At(i int) *Job { return (*Job)(unsafe.Add(g.at, uintptr(i)*g.stride)) }

// Inline is called on a loop's thread with what came for a program in one
// iteration.  It sends b when that is full, and leaves in it what is left.
var Inline func(program uintptr, jobs Given, b *Batch)

//export goVoloInline
func goVoloInline(program C.uintptr_t, jobs unsafe.Pointer, stride, count C.size_t, b unsafe.Pointer) {
	Inline(uintptr(program), Given{jobs, uintptr(stride), int(count)}, (*Batch)(b))
}

// URL builds the path of a named route from names and values in turn; the
// number is a VOLO_E... code if it is negative.
func URL(router Volo_router, name string, params []string) (string, int) {
	cname := C.CString(name)
	defer C.free(unsafe.Pointer(cname))
	var strs *C.volo_str
	if len(params) > 0 {
		strs = (*C.volo_str)(C.calloc(C.size_t(len(params)), C.size_t(unsafe.Sizeof(*strs))))
		defer C.free(unsafe.Pointer(strs))
	}
	list := unsafe.Slice(strs, len(params))
	for i, p := range params {
		list[i].ptr = C.CString(p)
		list[i].len = C.size_t(len(p))
		defer C.free(unsafe.Pointer(list[i].ptr))
	}
	var out *C.char
	err := int(C.volo_router_url(&out, (*C.volo_router)(pointer(router.Swigcptr())), cname,
		strs, C.size_t(len(params)/2)))
	if err < 0 {
		return "", err
	}
	defer C.volo_free(unsafe.Pointer(out))
	return C.GoString(out), 0
}

// TestHeader is field line i of a response of the in-memory client.
func TestHeader(response Volo_test_response, i int) (name, value string) {
	var n, v C.volo_str
	C.volo_test_header_at((*C.volo_test_response)(pointer(response.Swigcptr())), C.size_t(i), &n, &v)
	return str(n).String(), str(v).String()
}

// Route is one route of a router.
type Route struct{ Method, Pattern, Name string }

// Routes lists those of a router.
func Routes(router Volo_router) []Route {
	text := C.volo__go_routes((*C.volo_router)(pointer(router.Swigcptr())))
	defer C.volo__go_free(unsafe.Pointer(text.ptr))
	parts := strings.Split(str(text).String(), "\x00")
	var list []Route
	for ; len(parts) >= 3; parts = parts[3:] {
		list = append(list, Route{parts[0], parts[1], parts[2]})
	}
	return list
}
