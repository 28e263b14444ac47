// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"libvolo/go/volo/internal/bridge"
	"libvolo/go/volo/internal/cvolo"
)

func init() { bridge.Start = startBridged }

func startBridged(handler any) (cvolo.Volo_service, func(), error) {
	s, ok := handler.(*Server)
	if !ok {
		h, ok := handler.(Handler)
		if !ok {
			return nil, nil, ErrInvalid
		}
		s = &Server{Handler: h}
	}
	if s.Handler == nil {
		return nil, nil, ErrInvalid
	}
	router := routerOf(s.Handler)
	p, err := newProgram(router, s.settings())
	if err != nil {
		return nil, nil, err
	}
	return cvolo.Volo_router_service(router.c), p.stop, nil
}
