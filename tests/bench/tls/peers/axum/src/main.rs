// SPDX-License-Identifier: Apache-2.0
//! axum over rustls: one route, for the benchmark.

use axum::{routing::get, Router};
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use std::{env, net::SocketAddr};

async fn plaintext() -> &'static str {
    "Hello, World!"
}

fn number(name: &str, otherwise: usize) -> usize {
    env::var(name)
        .ok()
        .and_then(|v| v.parse().ok())
        .unwrap_or(otherwise)
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(number("THREADS", 1))
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let address = SocketAddr::from(([127, 0, 0, 1], number("PORT", 8443) as u16));
        let cert = env::var("TLS_CERT").unwrap();
        let key = env::var("TLS_KEY").unwrap();
        let config = RustlsConfig::from_pem_file(cert, key).await.unwrap();
        let app = Router::new().route("/plaintext", get(plaintext));
        axum_server::bind(address)
            .acceptor(RustlsAcceptor::new(config).acceptor(NoDelayAcceptor::new()))
            .serve(app.into_make_service())
            .await
            .unwrap();
    });
}
