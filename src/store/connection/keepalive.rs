//! Noticing that the other end of a database connection is gone: a cable, a firewall that forgot, a
//! machine that lost its power. Without this a question may wait for its answer for ever.
//!
//! sqlx makes its sockets itself and hands none out, so those that lead to the database's port are
//! looked up among the process's own, asked to probe their peers, and set not to hold small messages
//! back. Linux only; elsewhere it is left to the system's settings.

#[cfg(target_os = "linux")]
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Silence after which the peer is probed.
pub(crate) const IDLE: Duration = Duration::from_secs(10);

/// Between two probes.
pub(crate) const INTERVAL: Duration = Duration::from_secs(5);

/// Unanswered probes after which the connection is closed.
pub(crate) const PROBES: u32 = 3;

/// How long something that was sent may go without an answer of the peer's system.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(25);

/// Asks the system to watch every connection of this process to a peer at `port`. One that cannot
/// be had is left as it is: that costs patience, nothing else.
#[cfg(target_os = "linux")]
pub(crate) fn watch_peers(port: u16) {
    use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

    let sockets = || -> std::io::Result<()> {
        let own = pidfd_open(getpid(), PidfdFlags::empty())?;
        for entry in std::fs::read_dir("/proc/self/fd")?.flatten() {
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.parse().ok());
            let is_socket = std::fs::read_link(entry.path())
                .is_ok_and(|target| target.to_string_lossy().starts_with("socket:"));
            let Some(number) = number.filter(|_| is_socket) else { continue };
            // The same socket under another number; it may be closed meanwhile.
            match pidfd_getfd(&own, number, PidfdGetfdFlags::empty()) {
                Ok(socket) => linux::watch(&socket, port),
                Err(rustix::io::Errno::BADF) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    };
    if let Err(error) = sockets()
        && !IS_LOGGED.swap(true, Ordering::Relaxed)
    {
        tracing::warn!(
            event = "connections_not_watched",
            %error,
            "connections to the database are not watched: one that a firewall forgets holds its job \
             until the system gives it up; allow the system call pidfd_getfd (Docker: --cap-add \
             SYS_PTRACE), or lower net.ipv4.tcp_retries2"
        );
    }
}

/// The warning is logged once.
#[cfg(target_os = "linux")]
static IS_LOGGED: AtomicBool = AtomicBool::new(false);

/// Elsewhere the system's settings decide.
#[cfg(not(target_os = "linux"))]
pub(crate) fn watch_peers(_port: u16) {}

#[cfg(target_os = "linux")]
mod linux {
    use std::net::SocketAddr;
    use std::os::fd::OwnedFd;

    use rustix::net::{getpeername, sockopt};

    use super::{IDLE, INTERVAL, PROBES, SILENCE_MAX};

    /// Sets the options of a socket if its peer is at `port`; one that refuses them stays as it is.
    pub(crate) fn watch(socket: &OwnedFd, port: u16) {
        let peer = getpeername(socket).ok().and_then(|peer| SocketAddr::try_from(peer?).ok());
        if peer.is_none_or(|peer| peer.port() != port) {
            return;
        }
        let silence = u32::try_from(SILENCE_MAX.as_millis()).unwrap_or(u32::MAX);
        let set = sockopt::set_tcp_keepidle(socket, IDLE)
            .and_then(|()| sockopt::set_tcp_keepintvl(socket, INTERVAL))
            .and_then(|()| sockopt::set_tcp_keepcnt(socket, PROBES))
            .and_then(|()| sockopt::set_tcp_user_timeout(socket, silence))
            .and_then(|()| sockopt::set_socket_keepalive(socket, true))
            // The end of a COPY would wait for an acknowledgement of what came before it.
            .and_then(|()| sockopt::set_tcp_nodelay(socket, true));
        if let Err(error) = set {
            tracing::debug!(
                event = "connection_not_watched",
                %error,
                "database connection is not watched"
            );
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use rustix::net::sockopt;

    use super::*;

    #[test]
    fn connections_to_the_port_are_watched_and_no_others() {
        let [database, other] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let connect = |to: &TcpListener| TcpStream::connect(to.local_addr().unwrap()).unwrap();
        let (to_database, elsewhere) = (connect(&database), connect(&other));
        watch_peers(database.local_addr().unwrap().port());
        assert!(sockopt::socket_keepalive(&to_database).unwrap());
        assert_eq!(sockopt::tcp_user_timeout(&to_database).unwrap(), 25_000);
        assert!(sockopt::tcp_nodelay(&to_database).unwrap());
        assert!(!sockopt::socket_keepalive(&elsewhere).unwrap());
    }
}
