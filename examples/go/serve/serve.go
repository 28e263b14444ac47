// SPDX-License-Identifier: Apache-2.0

// Package serve is what the examples share: serve until Ctrl-C, and say what
// went wrong.
package serve

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"libvolo/go/volo"
)

// Main serves h on the address in the arguments until it is told to stop.
func Main(h volo.Handler) {
	addr := "127.0.0.1:8080"
	if len(os.Args) > 1 {
		addr = os.Args[1]
	}
	server := &volo.Server{Addr: addr, Handler: h}
	if err := Until(server); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Until listens, and serves until SIGINT or SIGTERM; see [Run].
func Until(server *volo.Server) error {
	if err := server.Listen(server.Addr); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "http://127.0.0.1:%d/\n", server.Port(0))
	return Run(server)
}

// Run serves until SIGINT or SIGTERM, and then lets exchanges in progress
// finish; a second signal ends them at once.
func Run(server *volo.Server) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			<-signals
			cancel()
		}()
		_ = server.Shutdown(ctx)
	}()
	if err := server.Serve(); !errors.Is(err, volo.ErrServerClosed) {
		return err
	}
	return nil
}
