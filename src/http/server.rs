//! The web server: listens, serves until it is stopped, then lets open requests end.

use std::any::Any;
use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::ServerHandle;
use actix_web::middleware::{Condition, from_fn};
use actix_web::rt::net::TcpStream;
use actix_web::{App, HttpServer, web};
use tokio::task::JoinHandle;

use super::api::Api;
use super::tls::ServerCertificate;
use super::{access, cors};

/// Threads that serve requests. They never process rows.
const WORKERS: usize = 2;

/// How long open requests may take once the server stops.
const END_SECONDS: u64 = 8;

/// How long a client may take to send its headers.
const HEADERS_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the server reads a refused upload, so that the client gets the answer and not a reset.
const LINGER_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a client may leave sent bytes unread.
const UNREAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Where a server waits for clients.
#[derive(Debug)]
pub enum Listener {
    /// The network.
    Network(TcpListener),
    /// A socket of this machine: whoever can open it may do everything.
    OwnSocket(UnixListener),
}

/// A running web server.
#[derive(Debug)]
pub struct Server {
    handle: ServerHandle,
    running: JoinHandle<io::Result<()>>,
}

impl Server {
    /// Serves the API on `listener`, by TLS where there is a certificate; an idle connection is closed
    /// after `keep_alive`. Must be called within the main runtime.
    ///
    /// # Errors
    /// When the system refuses the socket.
    pub fn start(
        listener: Listener,
        api: Api,
        keep_alive: Duration,
        certificate: Option<&ServerCertificate>,
    ) -> io::Result<Self> {
        let api = web::Data::new(api);
        let server = HttpServer::new(move || {
            let origins = &api.cors_origins;
            // The last one is outermost: all others know the server's own addresses, and a browser
            // shows a refusal only with the headers of CORS.
            App::new()
                .app_data(api.clone())
                .wrap(from_fn(access::admit))
                .wrap(from_fn(cors::guard))
                .wrap(from_fn(super::middleware::finish_answer))
                .wrap(Condition::new(!origins.is_empty(), cors::headers(origins)))
                .wrap(Condition::new(!origins.is_empty(), from_fn(cors::vary)))
                .wrap(from_fn(super::path_prefix::locate))
                .configure(super::routes::routes)
        })
        .on_connect(|connection, _| end_when_unread(connection))
        .workers(WORKERS)
        .disable_signals()
        .keep_alive(keep_alive)
        .shutdown_timeout(END_SECONDS)
        .tls_handshake_timeout(HEADERS_TIMEOUT)
        .client_request_timeout(HEADERS_TIMEOUT)
        .client_disconnect_timeout(LINGER_TIMEOUT);
        let server = match (listener, certificate) {
            (Listener::Network(listener), Some(certificate)) => {
                server.listen_rustls_0_23(listener, certificate.server_config())?
            }
            (Listener::Network(listener), None) => server.listen(listener)?,
            (Listener::OwnSocket(listener), _) => server.listen_uds(listener)?,
        };
        let server = server.run();
        let handle = server.handle();
        Ok(Self { handle, running: tokio::spawn(server) })
    }

    /// Accepts no new connections, closes idle ones, waits for open requests, then ends the workers.
    ///
    /// # Errors
    /// When the web server ended with an error.
    pub async fn stop(self) -> io::Result<()> {
        self.handle.stop(true).await;
        self.running.await.map_err(io::Error::other)?
    }
}

/// Lets the system close the connection of a client that does not read. The web server would wait
/// for it, and a stream of events does not end by itself.
fn end_when_unread(connection: &dyn Any) {
    #[cfg(target_os = "linux")]
    let below_tls = connection.downcast_ref::<TlsStream<TcpStream>>().map(|tls| tls.get_ref().0);
    #[cfg(target_os = "linux")]
    if let Some(socket) = below_tls.or_else(|| connection.downcast_ref::<TcpStream>()) {
        let millis = u32::try_from(UNREAD_TIMEOUT.as_millis()).unwrap_or(u32::MAX);
        if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(socket, millis) {
            tracing::debug!(
                event = "connection_timeout_unset",
                %error,
                "connection has no time limit for its client"
            );
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (connection, UNREAD_TIMEOUT);
}
