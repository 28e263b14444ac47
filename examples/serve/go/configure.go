// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"libvolo/go/volo"
)

func setting(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// listen binds the ports that the environment names.
func listen(server *volo.Server) error {
	if err := server.Listen(fmt.Sprintf("127.0.0.1:%d", setting("PORT", 8080))); err != nil {
		return err
	}
	if err := server.TrustProxy(0, os.Getenv("TRUST_PROXY")); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "volo-serve: http://127.0.0.1:%d/\n", server.Port(0))
	if os.Getenv("TLS_PORT") == "" {
		return nil
	}
	config := certificates()
	if err := server.ListenTLS(fmt.Sprintf("127.0.0.1:%d", setting("TLS_PORT", 8443)), config); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "volo-serve: https://127.0.0.1:%d/\n", server.Port(1))
	go reload(config)
	return nil
}

func certificates() *volo.TLSConfig {
	config := &volo.TLSConfig{Certificates: []volo.Certificate{
		{CertFile: os.Getenv("TLS_CERT"), KeyFile: os.Getenv("TLS_KEY")}}}
	if second := os.Getenv("TLS_CERT2"); second != "" {
		config.Certificates = append(config.Certificates,
			volo.Certificate{CertFile: second, KeyFile: os.Getenv("TLS_KEY2")})
	}
	if ca := os.Getenv("TLS_CLIENT_CA"); ca != "" {
		config.ClientCAFile, config.ClientAuth = ca, volo.OptionalClientCert
		if os.Getenv("TLS_CLIENT") == "required" {
			config.ClientAuth = volo.RequireClientCert
		}
	}
	return config
}

// reload reads the certificates again at each SIGHUP.
func reload(config *volo.TLSConfig) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	for range hangups {
		if err := config.Reload(); err != nil {
			fmt.Fprintln(os.Stderr, "volo-serve:", err)
		}
	}
}
