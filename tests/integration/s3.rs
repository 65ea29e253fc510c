//! A real S3 server for tests: it checks the credentials, keeps its objects in a folder, and can be
//! away for a while, without its bucket, or behind a bad line.

#![allow(clippy::allow_attributes, reason = "as in the module `support`")]
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::JoinHandle;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

const KEY: &str = "loadbay-test";
const SECRET: &str = "not-a-real-secret";
const BUCKET: &str = "files";

/// An S3 server with the bucket `files`; ends with the value.
#[derive(Debug)]
pub(crate) struct S3 {
    folder: tempfile::TempDir,
    address: SocketAddr,
    endpoint: String,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    /// Bytes that a connection sends before it is cut.
    answers: u64,
    /// Speaks TLS with this certificate and its key.
    certificate: Option<(PathBuf, PathBuf)>,
}

impl S3 {
    /// Starts the server on a free port.
    pub(crate) fn start() -> Self {
        Self::start_cut(u64::MAX)
    }

    /// Starts a server each of whose connections is cut when it has sent so many bytes.
    pub(crate) fn start_cut(answers: u64) -> Self {
        Self::start_as(answers, None)
    }

    /// Starts a server that speaks TLS as `localhost`, with this certificate and its key.
    pub(crate) fn start_tls(certificate: (PathBuf, PathBuf)) -> Self {
        Self::start_as(u64::MAX, Some(certificate))
    }

    fn start_as(answers: u64, certificate: Option<(PathBuf, PathBuf)>) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the objects");
        std::fs::create_dir(folder.path().join(BUCKET)).expect("the bucket");
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut s3 =
            Self { folder, address, endpoint: String::new(), running: None, answers, certificate };
        s3.come_back();
        s3
    }

    /// The settings of a server that keeps its files here, and others after them.
    pub(crate) fn settings<'a>(&'a self, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let mut settings = vec![
            ("LOADBAY_STORAGE_URL", "s3://files/of/loadbay"),
            ("AWS_ENDPOINT_URL", self.endpoint.as_str()),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
        ];
        settings.extend_from_slice(more);
        settings
    }

    /// Goes away: open connections are cut, new ones refused.
    pub(crate) fn go_away(&mut self) {
        let (stop, thread) = self.running.take().expect("the S3 server runs");
        stop.send(()).expect("it listens");
        thread.join().expect("it ended well");
    }

    /// Comes back at the same address with the same objects.
    pub(crate) fn come_back(&mut self) {
        let (ready, is_ready) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let (address, service) = (self.address, service(&self.folder.path().to_owned()));
        let answers = self.answers;
        let acceptor = self.certificate.as_ref().map(acceptor);
        // A runtime of its own: a test blocks its own while it starts a server.
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::bind(address).await.expect("the port is free");
                ready.send(listener.local_addr().expect("an address")).expect("it is waited for");
                tokio::select! {
                    () = serve(listener, service, answers, acceptor) => {}
                    _ = stopped => {}
                }
            });
        });
        self.address = is_ready.recv().expect("the S3 server starts");
        self.endpoint = match self.certificate {
            Some(_) => format!("https://localhost:{}", self.address.port()),
            None => format!("http://{}", self.address),
        };
        self.running = Some((stop, thread));
    }

    /// The bucket itself is gone, or is there again; the server answers all the time.
    pub(crate) fn take_bucket(&self, away: bool) {
        let (here, there) = (self.folder.path().join(BUCKET), self.folder.path().join("elsewhere"));
        let (from, to) = if away { (here, there) } else { (there, here) };
        std::fs::rename(from, to).expect("the bucket is moved");
    }

    /// The folder of the bucket: a file for each object.
    pub(crate) fn bucket(&self) -> PathBuf {
        self.folder.path().join(BUCKET)
    }

    /// The names of all objects.
    pub(crate) fn objects(&self) -> Vec<String> {
        let root = self.bucket();
        let (mut waiting, mut found) = (vec![root.clone()], Vec::new());
        while let Some(path) = waiting.pop() {
            for entry in std::fs::read_dir(&path).expect("the folder can be listed").flatten() {
                let path: PathBuf = entry.path();
                if path.is_dir() {
                    waiting.push(path);
                } else if let Ok(name) = path.strip_prefix(&root) {
                    found.push(name.to_string_lossy().into_owned());
                }
            }
        }
        found.sort();
        found
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.go_away();
        }
    }
}

fn service(root: &PathBuf) -> S3Service {
    let mut service = S3ServiceBuilder::new(FileSystem::new(root).expect("the folder is usable"));
    service.set_auth(SimpleAuth::from_single(KEY, SECRET));
    service.build()
}

pub(crate) fn acceptor((certificate, key): &(PathBuf, PathBuf)) -> TlsAcceptor {
    let chain = CertificateDer::pem_file_iter(certificate).expect("a certificate");
    let chain = chain.collect::<Result<Vec<_>, _>>().expect("certificates");
    let key = PrivateKeyDer::from_pem_file(key).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let settings = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
    TlsAcceptor::from(Arc::new(settings.expect("the certificate fits its key")))
}

async fn serve(
    listener: TcpListener,
    service: S3Service,
    answers: u64,
    acceptor: Option<TlsAcceptor>,
) {
    loop {
        let Ok((socket, _)) = listener.accept().await else { continue };
        let (service, socket) = (service.clone(), Cut { socket, left: answers });
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let builder = Builder::new(TokioExecutor::new());
            let Some(acceptor) = acceptor else {
                let _cut = builder.serve_connection(TokioIo::new(socket), service).await;
                return;
            };
            // A client that trusts nobody here goes away.
            let Ok(socket) = acceptor.accept(socket).await else { return };
            let _cut = builder.serve_connection(TokioIo::new(socket), service).await;
        });
    }
}

/// A connection that is cut when it has sent enough.
struct Cut {
    socket: TcpStream,
    left: u64,
}

impl AsyncRead for Cut {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl AsyncWrite for Cut {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        let sent = Pin::new(&mut self.socket).poll_write(context, &bytes[..most]);
        if let Poll::Ready(Ok(count)) = sent {
            self.left -= count as u64;
        }
        sent
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
