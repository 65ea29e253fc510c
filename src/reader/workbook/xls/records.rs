//! The records that the streams of an XLS workbook consist of ([MS-XLS] 2.1.4). Knows no record by
//! its kind.

/// Where a record begins, its kind and its body.
pub(super) type XlsRecord<'a> = (usize, u16, &'a [u8]);

/// The records of a stream, up to the first that breaks off.
pub(super) struct XlsRecords<'a> {
    stream: &'a [u8],
    at: usize,
}

impl<'a> XlsRecords<'a> {
    /// Those that begin at byte `at` of the stream.
    pub(super) fn from(stream: &'a [u8], at: usize) -> Self {
        Self { stream, at }
    }
}

impl<'a> Iterator for XlsRecords<'a> {
    type Item = XlsRecord<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.at;
        let (head, rest) = self.stream.get(at..)?.split_first_chunk::<4>()?;
        let [kind_low, kind_high, low, high] = *head;
        let length = usize::from(u16::from_le_bytes([low, high]));
        // A record that breaks off is given as far as it goes, and is the last one.
        let body = rest.get(..length).unwrap_or(rest);
        self.at = at + 4 + length;
        Some((at, u16::from_le_bytes([kind_low, kind_high]), body))
    }
}
