// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"libvolo/go/volo/internal/cvolo"
)

// Server serves one handler over HTTP/1.1 and HTTP/2, with TLS and without.  Its fields are named as those of
// http.Server where they mean the same; a zero means the default, and a
// negative time or limit means none where one can do without.
type Server struct {
	// Addr is where ListenAndServe listens: "127.0.0.1:8080", ":8080",
	// "localhost:0", "unix:/path", "unix:@name" or "fd:3"; ":8080" if empty.
	Addr string
	// Handler is usually a [Router].
	Handler Handler
	// TLSConfig is for [Server.ListenAndServeTLS] and [Server.ListenTLS].
	TLSConfig *TLSConfig

	// Workers is how many loops read and write; by processors if 0.
	Workers int
	// Mode says where handlers run that do not say so themselves.
	Mode Mode

	// ReadHeaderTimeout is for the whole head; 10 s.
	ReadHeaderTimeout time.Duration
	// IdleTimeout is between requests; 60 s.
	IdleTimeout time.Duration
	// BodyTimeout is between octets of a body; 30 s.
	BodyTimeout time.Duration
	// WriteTimeout is how long a client may take nothing of an answer; 30 s.
	// Unlike that of http.Server it begins anew with each octet taken.
	WriteTimeout time.Duration
	// StopTimeout is how long Shutdown waits before it cuts exchanges off, if
	// its context does not end before; 30 s.
	StopTimeout time.Duration
	// LingerTimeout is how long what a client still sends is read and thrown
	// away before its connection is closed; 5 s.
	LingerTimeout time.Duration

	// MaxHeaderBytes is the limit of a head; 16 KiB.
	MaxHeaderBytes int
	// MaxHeaders is how many field lines it may have; 100.
	MaxHeaders int
	// MaxTargetBytes is the limit of a request target; 8 KiB.
	MaxTargetBytes int
	// MaxTrailerBytes is the limit of trailers; 16 KiB.
	MaxTrailerBytes int
	// MaxChunkExtBytes is the limit of chunk extensions in a body; 16 KiB.
	MaxChunkExtBytes int
	// MaxBody is the limit of a body; 2 MiB.
	MaxBody int64
	// MinBodyRate is the least rate of a body after its first 10 s; 500
	// octets a second.
	MinBodyRate int
	// MaxConns is how many connections may be open; 65536.
	MaxConns int
	// MaxConnsPerAddress is how many of one address; no limit.
	MaxConnsPerAddress int
	// MaxRequestsPerConn is after how many one is closed; no limit.
	MaxRequestsPerConn int
	// MaxPipelined is how many requests are parsed ahead; 64.
	MaxPipelined int
	// WriteBuffer is how much of a streamed answer waits before a [Writer]
	// does; 64 KiB.
	WriteBuffer int
	// Backlog is that of listening sockets; 4096.
	Backlog int
	// HalfClose answers clients that have shut down writing.
	HalfClose bool
	// DisableHTTP2 has HTTP/1 alone served.  Else a connection over TLS has
	// HTTP/2 if ALPN says so, and one without TLS if it begins with it or asks
	// for an upgrade.
	DisableHTTP2 bool
	// DisableHTTP1 has HTTP/2 alone served, which a client has to know where
	// there is no TLS.
	DisableHTTP1 bool
	// MaxStreams is how many requests of one HTTP/2 connection are served at
	// once; 128.
	MaxStreams int
	// HandshakeTimeout is for that of TLS, and a PROXY header; 10 s.
	HandshakeTimeout time.Duration
	// MaxHandshakes is how many may be under way at once in each loop; 1024.
	// More wait.
	MaxHandshakes int

	// ServerName is the Server field of each answer; none if empty.
	ServerName string
	// ErrorHandler answers for handlers that fail; AnswerError if nil.
	ErrorHandler ErrorHandler
	// Logger gets what goes wrong; slog.Default if nil.
	Logger *slog.Logger
	// BaseContext is what contexts of exchanges are made from; its end is
	// theirs.
	BaseContext context.Context

	mu      sync.Mutex
	c       cvolo.Volo_server // nil unless something is bound
	router  *Router
	program *program // nil unless it serves
	bound   int
	stopped chan struct{} // closed when Serve has ended
	hurry   chan struct{} // closed when nothing is to be waited for
	stops   int
}

// ListenAndServe serves h on addr, see [Server].
func ListenAndServe(addr string, h Handler) error {
	return (&Server{Addr: addr, Handler: h}).ListenAndServe()
}

// Listen binds an address, see [Server.Addr]; it may be called more than once.
// Connections wait until [Server.Serve] is called.
//
// Errors: ErrInvalid, ErrAddrInUse, ErrAccess, ErrNoFiles, ErrIO, ErrNoMemory,
// ErrBusy (it serves).
func (s *Server) Listen(addr string) error {
	return s.listen(addr, func() int { return cvolo.Volo_server_bind(s.c, addr) })
}

func (s *Server) listen(addr string, bind func() int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.open(); err != nil {
		return err
	}
	if strings.IndexByte(addr, 0) >= 0 {
		return ErrInvalid
	}
	if err := s.words(bind()); err != nil {
		return fmt.Errorf("listen %s: %w", addr, err)
	}
	s.bound++
	return nil
}

// ListenOn listens on a socket that is there already, such as a
// *net.TCPListener or *net.UnixListener, of which it takes a duplicate.
func (s *Server) ListenOn(l net.Listener) error { return listenOn(l, s.Listen) }

// ListenTLSOn is [Server.ListenTLS] on such a socket.
func (s *Server) ListenTLSOn(l net.Listener, config *TLSConfig) error {
	return listenOn(l, func(addr string) error { return s.ListenTLS(addr, config) })
}

func listenOn(l net.Listener, listen func(addr string) error) error {
	filer, ok := l.(interface{ File() (*os.File, error) })
	if !ok {
		return ErrInvalid
	}
	file, err := filer.File()
	if err != nil {
		return err
	}
	defer file.Close()
	fd, err := syscall.Dup(int(file.Fd()))
	if err != nil {
		return err
	}
	syscall.CloseOnExec(fd)
	if err = listen(fmt.Sprintf("fd:%d", fd)); err != nil {
		_ = syscall.Close(fd)
	}
	return err
}

// ListenSystemd listens on the sockets that systemd has passed; it says how
// many.
func (s *Server) ListenSystemd() (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.open(); err != nil {
		return 0, err
	}
	n := cvolo.Volo_server_bind_systemd(s.c)
	s.bound += max(n, 0)
	return max(n, 0), s.words(n)
}

// TrustProxy has connections to the listener number i, in the order of Listen,
// that come from networks ("10.0.0.0/8,::1"; "unix" for those of a Unix socket)
// begin with a header of the PROXY protocol, version 1 or 2, before TLS:
// [Ctx.RemoteAddr] is what it says.  Those without are closed.
//
// Errors: ErrInvalid, ErrNotFound (no such listener), ErrNoMemory, ErrBusy (it
// serves).
func (s *Server) TrustProxy(i int, networks string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.program != nil:
		return ErrBusy
	case s.c == nil || i < 0:
		return ErrNotFound
	case strings.IndexByte(networks, 0) >= 0:
		return ErrInvalid
	}
	return s.words(cvolo.Volo_server_trust_proxy(s.c, int64(i), networks))
}

// Port is the port of the listener number i, in the order of Listen; 0 for one
// without a port.
func (s *Server) Port(i int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.c == nil {
		return 0
	}
	return max(cvolo.Volo_server_port(s.c, int64(i)), 0)
}

// ListenAndServe is [Server.Listen] on Addr, unless there is a listener
// already, and [Server.Serve].
func (s *Server) ListenAndServe() error {
	s.mu.Lock()
	bound := s.bound > 0
	s.mu.Unlock()
	if !bound {
		addr := s.Addr
		if addr == "" {
			addr = ":8080"
		}
		if err := s.Listen(addr); err != nil {
			return err
		}
	}
	return s.Serve()
}

// Serve serves until [Server.Shutdown] or [Server.Close] is called, and
// returns ErrServerClosed then, when all exchanges are over.
func (s *Server) Serve() error {
	if err := s.start(); err != nil {
		return err
	}
	cvolo.Volo_server_wait(s.c)
	s.mu.Lock()
	c, p := s.c, s.program
	s.c, s.bound = nil, 0
	s.mu.Unlock()
	cvolo.DeleteVolo_server(c)
	over := make(chan struct{})
	go func() {
		p.stop()
		close(over)
	}()
	select { // who runs still has been cut off by now, and need not know
	case <-over:
	case <-s.hurry:
	case <-time.After(time.Second):
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.program = nil
	close(s.stopped)
	return ErrServerClosed
}

func (s *Server) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.open(); err != nil {
		return err
	}
	if err := s.configure(); err != nil {
		return err
	}
	p, err := newProgram(s.router, s.settings())
	if err != nil {
		return err
	}
	if err := s.words(cvolo.Volo_server_start(s.c)); err != nil {
		p.stop()
		return err
	}
	s.program, s.stops = p, 0
	s.stopped, s.hurry = make(chan struct{}), make(chan struct{})
	return nil
}

// open makes the server of C; with the lock.
func (s *Server) open() error {
	if s.program != nil {
		return ErrBusy
	}
	if s.c != nil {
		return nil
	}
	if s.Handler == nil {
		return ErrInvalid
	}
	s.router = routerOf(s.Handler)
	var c uintptr
	if n := cvolo.Volo_server_new(&c, cvolo.Volo_router_service(s.router.c)); n < 0 {
		return Code(n)
	}
	s.c = cvolo.SwigcptrVolo_server(c)
	return nil
}

func (s *Server) settings() settings {
	return settings{mode: s.Mode, takers: s.takers(), log: s.Logger, base: s.baseContext(),
		onError: s.ErrorHandler}
}

// takers is how many runners may be taking at once: as many as there are loops
// and processors.  Two, where there are two processors, so that one waits while
// the other is at work.
func (s *Server) takers() int {
	n := runtime.GOMAXPROCS(0)
	if s.Workers > 0 {
		n = min(n, max(s.Workers, 2))
	}
	return n
}

// words is the error of a function of C, with what it says about it.
func (s *Server) words(n int) error {
	if n >= 0 {
		return nil
	}
	if words := cvolo.Volo_server_error(s.c); words != "" {
		return fmt.Errorf("%w (%s)", Code(n), words)
	}
	return Code(n)
}

// configure tells C what the fields say.
func (s *Server) configure() error {
	for option, off := range map[int]bool{
		int(cvolo.VOLO_SERVER_HTTP1): s.DisableHTTP1,
		int(cvolo.VOLO_SERVER_HTTP2): s.DisableHTTP2,
	} {
		if !off {
			continue
		}
		if n := cvolo.Volo_server_set(s.c, option, 0); n < 0 {
			return Code(n)
		}
	}
	for _, o := range s.options() {
		if o.value == 0 {
			continue
		}
		value := uint64(o.value)
		if o.value < 0 {
			value = math.MaxUint64
		}
		if n := cvolo.Volo_server_set(s.c, o.option, value); n < 0 {
			return fmt.Errorf("%w: %s", Code(n), o.name)
		}
	}
	if s.ServerName == "" {
		return nil
	}
	if strings.IndexByte(s.ServerName, 0) >= 0 {
		return ErrInvalid
	}
	return s.words(cvolo.Volo_server_set_name(s.c, s.ServerName))
}

type serverOption struct {
	name   string
	option int
	value  int64
}

func (s *Server) options() []serverOption {
	ms := func(d time.Duration) int64 {
		if d < 0 {
			return -1
		}
		return int64(milliseconds(d))
	}
	return []serverOption{
		{"Workers", int(cvolo.VOLO_SERVER_WORKERS), int64(max(s.Workers, 0))},
		{"MaxConns", int(cvolo.VOLO_SERVER_MAX_CONNECTIONS), int64(s.MaxConns)},
		{"MaxConnsPerAddress", int(cvolo.VOLO_SERVER_MAX_PER_ADDRESS), int64(s.MaxConnsPerAddress)},
		{"MaxBody", int(cvolo.VOLO_SERVER_BODY_LIMIT), s.MaxBody},
		{"MaxHeaderBytes", int(cvolo.VOLO_SERVER_HEAD_LIMIT), int64(s.MaxHeaderBytes)},
		{"MaxHeaders", int(cvolo.VOLO_SERVER_FIELD_LIMIT), int64(s.MaxHeaders)},
		{"MaxTargetBytes", int(cvolo.VOLO_SERVER_TARGET_LIMIT), int64(s.MaxTargetBytes)},
		{"ReadHeaderTimeout", int(cvolo.VOLO_SERVER_HEAD_TIMEOUT), ms(s.ReadHeaderTimeout)},
		{"IdleTimeout", int(cvolo.VOLO_SERVER_IDLE_TIMEOUT), ms(s.IdleTimeout)},
		{"BodyTimeout", int(cvolo.VOLO_SERVER_BODY_TIMEOUT), ms(s.BodyTimeout)},
		{"MinBodyRate", int(cvolo.VOLO_SERVER_BODY_RATE), int64(s.MinBodyRate)},
		{"WriteTimeout", int(cvolo.VOLO_SERVER_WRITE_TIMEOUT), ms(s.WriteTimeout)},
		{"StopTimeout", int(cvolo.VOLO_SERVER_STOP_TIMEOUT), ms(s.StopTimeout)},
		{"MaxPipelined", int(cvolo.VOLO_SERVER_PIPELINE_LIMIT), int64(s.MaxPipelined)},
		{"WriteBuffer", int(cvolo.VOLO_SERVER_WRITE_BUFFER), int64(s.WriteBuffer)},
		{"LingerTimeout", int(cvolo.VOLO_SERVER_LINGER_TIMEOUT), ms(s.LingerTimeout)},
		{"Backlog", int(cvolo.VOLO_SERVER_BACKLOG), int64(s.Backlog)},
		{"HalfClose", int(cvolo.VOLO_SERVER_HALF_CLOSE), int64(flag(s.HalfClose))},
		{"MaxRequestsPerConn", int(cvolo.VOLO_SERVER_REQUESTS_PER_CONNECTION), int64(s.MaxRequestsPerConn)},
		{"MaxTrailerBytes", int(cvolo.VOLO_SERVER_TRAILER_LIMIT), int64(s.MaxTrailerBytes)},
		{"MaxStreams", int(cvolo.VOLO_SERVER_STREAM_LIMIT), int64(s.MaxStreams)},
		{"HandshakeTimeout", int(cvolo.VOLO_SERVER_HANDSHAKE_TIMEOUT), ms(s.HandshakeTimeout)},
		{"MaxHandshakes", int(cvolo.VOLO_SERVER_HANDSHAKE_LIMIT), int64(s.MaxHandshakes)},
		{"MaxChunkExtBytes", int(cvolo.VOLO_SERVER_CHUNK_EXT_LIMIT), int64(s.MaxChunkExtBytes)},
	}
}

// Shutdown stops gracefully: nothing more is accepted, idle connections are
// closed, exchanges in progress finish.  If ctx ends before, they are cut off,
// and its error is returned.
func (s *Server) Shutdown(ctx context.Context) error {
	stopped := s.stop(1)
	if stopped == nil {
		return nil
	}
	select {
	case <-stopped:
		return nil
	case <-ctx.Done():
		s.stop(2)
		return ctx.Err()
	}
}

// Close cuts all exchanges off.  Handlers are told through their contexts;
// Serve returns when they have returned.
func (s *Server) Close() error {
	s.stop(2)
	return nil
}

// stop sees to it that C was told to stop so many times: once to begin, twice
// to be done with it.
func (s *Server) stop(times int) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.program == nil {
		if s.c != nil { // bound, and never served
			cvolo.DeleteVolo_server(s.c)
		}
		s.c, s.bound = nil, 0
		return nil
	}
	for ; s.stops < times; s.stops++ {
		if s.c != nil {
			cvolo.Volo_server_stop(s.c)
		}
		if s.stops == 1 {
			close(s.hurry)
		}
	}
	return s.stopped
}

// Stats are counters of a server.
type Stats struct {
	Connections  uint64 // open now
	Accepted     uint64 // ever
	Requests     uint64 // heads received, ever
	Active       uint64 // exchanges in progress
	Refused      uint64 // connections closed for a limit
	Timeouts     uint64 // connections closed by a timer
	Malformed    uint64 // requests refused by the parser
	Reads        uint64 // read system calls
	Writes       uint64 // write system calls
	AcceptPauses uint64 // times that descriptors ran out

	Handshakes       uint64 // of TLS, done
	HandshakesFailed uint64 // begun and not finished
	ProxyRefused     uint64 // connections without a PROXY header where one had to be
}

// Stats reads the counters; zero while it does not serve.
func (s *Server) Stats() (stats Stats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.c == nil {
		return stats
	}
	for i, to := range []*uint64{
		&stats.Connections, &stats.Accepted, &stats.Requests, &stats.Active, &stats.Refused,
		&stats.Timeouts, &stats.Malformed, &stats.Reads, &stats.Writes, &stats.AcceptPauses,
		&stats.Handshakes, &stats.HandshakesFailed, &stats.ProxyRefused,
	} {
		*to = cvolo.Volo_server_stat(s.c, i+1)
	}
	return stats
}
