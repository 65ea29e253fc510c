//! What is done to the servers and their database, and when: drawn from the seed alone, so that the
//! same seed gives the same list, whatever happens. Knows nothing of how it is done.

use std::fmt;
use std::time::Duration;

use super::draw::Draw;
use super::proxy::AtCommit;
use crate::support::Kind;

/// The moment for which a harm waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aim {
    Anytime,
    /// This share of an upload is sent, in hundredths; all of it: only the answer is missing.
    Uploading(u64),
    /// A job was taken up and has no chunk yet.
    Parsing,
    /// A chunk was committed: another one is being written, or its commit is being answered.
    Chunk,
    /// All rows of a job have their outcome.
    Ending,
}

/// What happens then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blow {
    /// `kill -9` of a server.
    Kill,
    /// The same, and again so long after its start.
    KillTwice(Duration),
    /// `kill -9` of all servers.
    KillAll,
    /// SIGTERM: the server must end with 0.
    Terminate,
    /// SIGSTOP for so long: longer than the lease.
    Freeze(Duration),
    /// `kill -9` of PostgreSQL.
    PostgresKill,
    /// PostgreSQL ends at once and starts again.
    PostgresCrash,
    /// All connections to PostgreSQL are cut.
    Cut,
    /// The connection of a commit is cut, after so many others passed.
    CutCommit(u32, AtCommit),
    /// Nothing reaches PostgreSQL for so long, and nothing comes from it.
    Stall(Duration),
    /// The disk is full for so long, but for so many bytes.
    Fill(Duration, u64),
}

/// One thing of the plan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Harm {
    pub(crate) aim: Aim,
    /// How long after the aimed moment.
    pub(crate) delay: Duration,
    pub(crate) blow: Blow,
    /// Which server, modulo their number.
    pub(crate) server: usize,
    /// How often a job may have been taken up since its last chunk.
    pub(crate) attempts: u32,
}

/// What a run of bounded length does in any case: how often each chance of [`Harm::draw`] comes.
const DECK: [(u64, usize); 12] = [
    (KILL, 12),
    (42, 5),
    (50, 2),
    (56, 4),
    (63, 4),
    (69, 2),
    (74, 3),
    (75, 3),
    (84, 1),
    (86, 2),
    (91, 3),
    (96, 3),
];

/// The chance that is a plain kill.
const KILL: u64 = 0;

/// The chances of a run of bounded length, in the order of the seed: every kind of harm is among
/// them.
pub(crate) fn deck(draw: &mut Draw) -> Vec<u64> {
    let cards = DECK.iter().flat_map(|(chance, count)| std::iter::repeat_n(*chance, *count));
    let mut cards: Vec<u64> = cards.collect();
    draw.shuffle(&mut cards);
    cards
}

impl Harm {
    /// The next one. `chance` below 100 says what it does; without it that is drawn as well.
    pub(crate) fn draw(draw: &mut Draw, kind: Kind, chance: Option<u64>) -> Self {
        let aim = match draw.below(100) {
            0..20 => Aim::Anytime,
            20..34 => Aim::Uploading(draw.below(101)),
            34..38 => Aim::Uploading(100),
            38..50 => Aim::Parsing,
            50..85 => Aim::Chunk,
            _ => Aim::Ending,
        };
        let delay = match draw.below(4) {
            0 => Duration::ZERO,
            1 => draw.millis(0, 15),
            2 => draw.millis(0, 80),
            _ => draw.millis(0, 400),
        };
        let drawn = draw.below(100);
        let chance = chance.unwrap_or(drawn);
        let place = if chance.is_multiple_of(2) { AtCommit::Before } else { AtCommit::Behind };
        let passing = u32::try_from(draw.below(6)).unwrap_or(0);
        let (soon, long) = (draw.millis(0, 400), draw.millis(2_300, 3_600));
        let (full, rest) = (draw.millis(300, 2_000), draw.below(2) * (4 << 20));
        let server = usize::try_from(draw.below(6)).unwrap_or(0);
        let is_postgres = kind == Kind::Postgres;
        let blow = match chance {
            0..42 => Blow::Kill,
            42..50 => Blow::KillTwice(soon),
            // An embedded database has one server and no connections: that one is killed instead.
            50..86 if !is_postgres => Blow::Kill,
            50..56 => Blow::KillAll,
            56..63 => Blow::PostgresKill,
            63..69 => Blow::PostgresCrash,
            69..74 => Blow::Cut,
            74..84 => Blow::CutCommit(passing, place),
            84..86 => Blow::Stall(long),
            86..91 => Blow::Terminate,
            91..96 => Blow::Fill(full, rest),
            _ => Blow::Freeze(long),
        };
        // One more with each kill, and the third is the last.
        let is_hasty = draw.below(4) != 0 && !matches!(blow, Blow::KillTwice(_));
        Self { aim, delay, blow, server, attempts: if is_hasty { 2 } else { 1 } }
    }
}

impl Blow {
    /// The name under which it is counted.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Kill => "server killed",
            Self::KillTwice(_) => "server killed, and again while it starts",
            Self::KillAll => "all servers killed",
            Self::PostgresKill => "PostgreSQL killed",
            Self::PostgresCrash => "PostgreSQL crashed",
            Self::Terminate => "server stopped by SIGTERM",
            Self::Freeze(_) => "server frozen past its lease",
            Self::Cut => "all connections cut",
            Self::CutCommit(_, AtCommit::Before) => "connection cut before a COMMIT",
            Self::CutCommit(_, AtCommit::Behind) => "connection cut behind a COMMIT",
            Self::Stall(_) => "connections stalled",
            Self::Fill(..) => "disk filled",
        }
    }

    /// How many processes it kills, of so many servers.
    pub(crate) fn kills(&self, servers: usize) -> u64 {
        match self {
            Self::Kill | Self::PostgresKill | Self::PostgresCrash => 1,
            Self::KillTwice(_) => 2,
            Self::KillAll => servers as u64,
            _ => 0,
        }
    }
}

impl fmt::Display for Harm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { aim, delay, blow, server, .. } = self;
        write!(f, "{aim:?} + {} ms: {blow:?} (server {server})", delay.as_millis())
    }
}
