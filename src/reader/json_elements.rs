//! The elements of the array of a JSON file, one after another: only the element that is read is in
//! memory. The array is the file itself or stands in the objects around it, beside other members.
//! Brackets are counted, not followed by recursion. What an element means is its reader's business.

mod input;

use std::io::BufRead;

use self::input::Input;
use super::error::{JsonFault, ReadError};
use super::object_rows::{ObjectText, ObjectTexts};
use crate::domain::limits::ROW_BYTES_MAX;

/// Bytes of a key around the array that are kept.
const KEY_BYTES_MAX: usize = 64 << 10;

/// Reads the elements of the one array of objects.
#[derive(Debug)]
pub(super) struct JsonElements<R> {
    input: Input<R>,
    /// The key of the array that was asked for; else it must be the only one.
    wanted: Option<String>,
    /// The key of the array that is read; nothing of one that is the whole file.
    key: Option<String>,
    /// Objects around the place where the reading stands.
    open: usize,
    /// An array without elements was passed.
    has_empty: bool,
    place: ArrayPlace,
    element: ObjectText,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ArrayPlace {
    Start,
    /// Before the first element, or the end of the array.
    First,
    /// Behind an element.
    Behind,
    /// The array has ended.
    End,
}

/// What may follow in an object around the array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expects {
    MemberOrEnd,
    Member,
    CommaOrEnd,
}

/// What stands behind a key.
enum Member {
    /// An array of objects; its first object follows.
    Array,
    /// An object; its members follow.
    Object,
    /// Anything else; it was passed over.
    Passed,
}

impl<R: BufRead> JsonElements<R> {
    /// Reads the array of objects with the key `wanted`, or the only one.
    pub(super) fn new(input: R, wanted: Option<&str>) -> Self {
        Self {
            input: Input::new(input),
            wanted: wanted.map(str::to_owned),
            key: None,
            open: 0,
            has_empty: false,
            place: ArrayPlace::Start,
            element: ObjectText::default(),
        }
    }

    /// Goes to the first element of the array, if that was not done. The key of the array; nothing
    /// when it is the whole file.
    pub(super) fn find(&mut self) -> Result<Option<&str>, ReadError> {
        if self.place == ArrayPlace::Start {
            self.enter()?;
        }
        Ok(self.key.as_deref())
    }

    fn enter(&mut self) -> Result<(), ReadError> {
        self.place = ArrayPlace::First;
        match self.input.peek()? {
            Some(b'[') => {
                self.input.pass();
                return Ok(());
            }
            Some(b'{') => self.input.pass(),
            Some(_) => return Err(self.broken("`[` or `{`")),
            None => return Err(ReadError::Empty),
        }
        self.open = 1;
        self.key = self.array(Expects::MemberOrEnd)?;
        match (&self.key, &self.wanted) {
            (Some(_), _) => Ok(()),
            (None, Some(wanted)) => Err(JsonFault::NoSuchArray { key: wanted.clone() }.into()),
            (None, None) if self.has_empty => Err(ReadError::Empty),
            (None, None) => Err(JsonFault::NoArray.into()),
        }
    }

    /// Goes on in the objects around the array, to the next array of objects that may be meant.
    /// Nothing at the end of the file.
    fn array(&mut self, mut expects: Expects) -> Result<Option<String>, ReadError> {
        loop {
            if self.open == 0 {
                let is_end = self.input.peek()?.is_none();
                return if is_end { Ok(None) } else { Err(self.broken("the end of the file")) };
            }
            expects = match (self.byte()?, expects) {
                (b'}', Expects::MemberOrEnd | Expects::CommaOrEnd) => {
                    self.input.pass();
                    self.open -= 1;
                    Expects::CommaOrEnd
                }
                (b',', Expects::CommaOrEnd) => {
                    self.input.pass();
                    Expects::Member
                }
                (_, Expects::CommaOrEnd) => return Err(self.broken("`,` or `}`")),
                (b'"', Expects::MemberOrEnd | Expects::Member) => {
                    let key = self.key()?;
                    match self.member(&key)? {
                        Member::Array => return Ok(Some(key)),
                        Member::Object => Expects::MemberOrEnd,
                        Member::Passed => Expects::CommaOrEnd,
                    }
                }
                _ => return Err(self.broken("a key in quotes")),
            };
        }
    }

    fn member(&mut self, key: &str) -> Result<Member, ReadError> {
        match self.byte()? {
            b'{' => {
                self.input.pass();
                self.open += 1;
                Ok(Member::Object)
            }
            b'[' => {
                self.input.pass();
                let is_wanted = self.wanted.as_deref().is_none_or(|wanted| wanted == key);
                match self.byte()? {
                    b'{' if is_wanted => return Ok(Member::Array),
                    b']' => self.has_empty |= is_wanted,
                    _ => {}
                }
                self.input.skip_array()?;
                Ok(Member::Passed)
            }
            _ => {
                let mut passed = Vec::new();
                self.value(&mut passed, 0)?;
                Ok(Member::Passed)
            }
        }
    }

    /// The key that begins here, and the colon behind it.
    fn key(&mut self) -> Result<String, ReadError> {
        let mut quoted = Vec::new();
        self.value(&mut quoted, KEY_BYTES_MAX)?;
        let key = serde_json::from_slice(&quoted).map_err(|_| self.broken("a key in quotes"))?;
        if self.byte()? != b':' {
            return Err(self.broken("`:`"));
        }
        self.input.pass();
        Ok(key)
    }

    /// Takes the value that begins here. True when it has more than `bytes_max` bytes.
    fn value(&mut self, text: &mut Vec<u8>, bytes_max: usize) -> Result<bool, ReadError> {
        let length = self.input.value(text, bytes_max)?;
        if length == 0 { Err(self.broken("a value")) } else { Ok(length > bytes_max) }
    }

    /// The next byte that is no white space, which the file must have.
    fn byte(&mut self) -> Result<u8, ReadError> {
        let line = self.input.line;
        self.input.peek()?.ok_or_else(|| JsonFault::Cut { line }.into())
    }

    fn broken(&self, expected: &'static str) -> ReadError {
        JsonFault::Broken { expected, line: self.input.line }.into()
    }

    /// Passes over what follows the array: there must be no other one.
    fn leave(&mut self) -> Result<(), ReadError> {
        self.input.pass();
        self.place = ArrayPlace::End;
        match self.array(Expects::CommaOrEnd)? {
            Some(second) => {
                let first = self.key.clone().unwrap_or_default();
                Err(JsonFault::SeveralArrays { first, second }.into())
            }
            None => Ok(()),
        }
    }
}

impl<R: BufRead> ObjectTexts for JsonElements<R> {
    fn next(&mut self) -> Result<bool, ReadError> {
        self.find()?;
        if self.place == ArrayPlace::End {
            return Ok(false);
        }
        let next = self.byte()?;
        if next == b']' {
            self.leave()?;
            return Ok(false);
        }
        if self.place == ArrayPlace::Behind {
            if next != b',' {
                return Err(self.broken("`,` or `]`"));
            }
            self.input.pass();
            // The line of the element, not that of the comma.
            self.byte()?;
        }
        self.place = ArrayPlace::Behind;
        let mut bytes = std::mem::take(&mut self.element.bytes);
        bytes.clear();
        self.element.line = self.input.line;
        self.element.is_too_long = self.value(&mut bytes, ROW_BYTES_MAX)?;
        self.element.bytes = bytes;
        self.element.number += 1;
        Ok(true)
    }

    fn object(&mut self) -> &mut ObjectText {
        &mut self.element
    }
}

#[cfg(test)]
mod tests;
