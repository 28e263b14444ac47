// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"context"
	"net"
	"net/http"
	"syscall"

	"libvolo/go/volo/internal/cvolo"
)

// baseContext is BaseContext with what handlers of net/http look for in the
// context of a request: the server, and the address that it listens on.  (Of a
// server with several listeners it is the first.)  With the lock, or before
// anybody else knows of s.
func (s *Server) baseContext() context.Context {
	base := s.BaseContext
	if base == nil {
		base = context.Background()
	}
	base = context.WithValue(base, http.ServerContextKey, &http.Server{
		Addr:              s.Addr,
		ReadHeaderTimeout: s.ReadHeaderTimeout,
		IdleTimeout:       s.IdleTimeout,
		MaxHeaderBytes:    s.MaxHeaderBytes,
	})
	if addr := s.localAddr(); addr != nil {
		base = context.WithValue(base, http.LocalAddrContextKey, addr)
	}
	return base
}

func (s *Server) localAddr() net.Addr {
	if s.c == nil {
		return nil
	}
	fd := cvolo.Volo_server_listener_fd(s.c, 0)
	if fd < 0 {
		return nil
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		return nil
	}
	switch a := name.(type) {
	case *syscall.SockaddrInet4:
		return &net.TCPAddr{IP: a.Addr[:], Port: a.Port}
	case *syscall.SockaddrInet6:
		return &net.TCPAddr{IP: a.Addr[:], Port: a.Port}
	case *syscall.SockaddrUnix:
		return &net.UnixAddr{Name: a.Name, Net: "unix"}
	}
	return nil
}
