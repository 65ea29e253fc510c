//! How the lines of a form end. The standard says CRLF; programs that write forms by hand often end
//! them as their system ends lines of text.

/// The end of each line outside of the contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineEnd {
    CrLf,
    Lf,
    Cr,
}

/// What stands behind a boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    /// A line end, after so many bytes with it: a part begins.
    Part(usize),
    /// Two hyphens: the form ends.
    End,
    /// Something else: this is no boundary.
    Text,
    /// More bytes are needed.
    Unknown,
}

impl LineEnd {
    pub(super) const fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::CrLf => b"\r\n",
            Self::Lf => b"\n",
            Self::Cr => b"\r",
        }
    }

    /// Finds out how lines end from what is behind the first boundary; nothing when that is none or
    /// more bytes are needed.
    pub(super) fn first(behind: &[u8], is_over: bool) -> Option<(Self, Behind)> {
        let padding = padding(behind);
        let line_end = match behind.get(padding..).unwrap_or_default() {
            [b'-', ..] | [b'\r', b'\n', ..] => Self::CrLf,
            [b'\n', ..] => Self::Lf,
            [b'\r', _, ..] => Self::Cr,
            _ => return None,
        };
        match line_end.behind_marker(behind, is_over) {
            found @ (Behind::Part(_) | Behind::End) => Some((line_end, found)),
            Behind::Text | Behind::Unknown => None,
        }
    }

    /// What the bytes behind a boundary say.
    pub(super) fn behind_marker(self, behind: &[u8], is_over: bool) -> Behind {
        if behind.starts_with(b"--") {
            return Behind::End;
        }
        let padding = padding(behind);
        let rest = behind.get(padding..).unwrap_or_default();
        let end = self.as_bytes();
        if rest.starts_with(end) {
            return Behind::Part(padding + end.len());
        }
        let may_become = end.starts_with(rest) || (padding == 0 && b"--".starts_with(rest));
        if may_become && !is_over { Behind::Unknown } else { Behind::Text }
    }
}

/// Blanks that may follow a boundary.
fn padding(behind: &[u8]) -> usize {
    behind.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}
