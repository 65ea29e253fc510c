//! How a call is described: its parameters, its body, its answers. What every call has in common (the
//! refusals, the key) is added by the document.

use serde_json::{Value, json};
use utoipa::openapi::schema::AllOfBuilder;
use utoipa::openapi::{Object, ObjectBuilder, Ref, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// The schemas of types, by name, that calls refer to.
#[derive(Default)]
pub(super) struct Schemas(pub(super) Vec<(String, RefOr<Schema>)>);

impl Schemas {
    /// A reference to the schema of a type, which is kept with all that it consists of.
    pub(super) fn of<T: ToSchema>(&mut self) -> String {
        T::schemas(&mut self.0);
        self.0.push((T::name().into_owned(), <T as PartialSchema>::schema()));
        T::name().into_owned()
    }

    /// The same of a message about a job, as the stream of a bulk has it: with the job.
    pub(super) fn of_bulk<T: ToSchema>(&mut self) -> String {
        let message = self.of::<T>();
        let (number, text) = (Object::with_type(Type::Integer), Object::with_type(Type::String));
        let job = ObjectBuilder::new().property("job_id", number).required("job_id");
        let job = job.property("file_name", text).required("file_name");
        let name = format!("Bulk{message}");
        let both = AllOfBuilder::new().item(Ref::from_schema_name(message)).item(job);
        self.0.push((name.clone(), both.into()));
        name
    }
}

/// Keeps the schema of a type and answers its name.
pub(super) type SchemaOf = fn(&mut Schemas) -> String;

/// What an answer consists of.
#[derive(Debug, Clone, Copy)]
pub(super) enum CallContent {
    /// `{"success": true, "data": …}` with a value of this type.
    Envelope(SchemaOf),
    /// JSON of this type, without an envelope.
    Json(SchemaOf),
    /// A JSON array of values of this type, without an envelope.
    List(SchemaOf),
    /// A file or a page of this media type.
    Of(&'static str),
    /// A stream of events, whose data is JSON of one of these types.
    Events(&'static [SchemaOf]),
    /// Nothing.
    Empty,
}

/// An answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct CallAnswer {
    pub(super) status: u16,
    pub(super) meaning: &'static str,
    pub(super) content: CallContent,
}

/// What a body may be.
#[derive(Debug, Clone)]
pub(super) enum Body {
    /// The file to import, in one of the ways in which it is sent.
    File,
    /// JSON of this type.
    Json(SchemaOf),
    /// A file to look at, or JSON of this type.
    FileOrJson(SchemaOf),
    /// JSON of the query parameters of the call, all of which may stand there.
    Parameters,
}

/// A query parameter.
#[derive(Debug, Clone)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) schema: Value,
    pub(super) meaning: &'static str,
}

/// A call.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    pub(super) query: Vec<Parameter>,
    pub(super) body: Option<Body>,
    pub(super) answers: Vec<CallAnswer>,
}

/// A call by its method and its address as it is registered.
pub(super) fn call(method: &'static str, path: &'static str, summary: &'static str) -> Call {
    Call { method, path, summary, query: Vec::new(), body: None, answers: Vec::new() }
}

/// A call that reads.
pub(super) fn get(path: &'static str, summary: &'static str) -> Call {
    call("GET", path, summary)
}

/// A call that changes something.
pub(super) fn post(path: &'static str, summary: &'static str) -> Call {
    call("POST", path, summary)
}

impl Call {
    /// It is answered 200 with a value of `T` in the envelope.
    pub(super) fn data<T: ToSchema>(self) -> Self {
        self.data_at::<T>(200, "Done")
    }

    /// It may be answered with this status and a value of `T` in the envelope.
    pub(super) fn data_at<T: ToSchema>(self, status: u16, meaning: &'static str) -> Self {
        self.answer(status, meaning, CallContent::Envelope(Schemas::of::<T>))
    }

    /// It is answered with JSON without an envelope.
    pub(super) fn json<T: ToSchema>(self, status: u16) -> Self {
        self.answer(status, "Done", CallContent::Json(Schemas::of::<T>))
    }

    /// It is answered 200 with a JSON array without an envelope.
    pub(super) fn list_of<T: ToSchema>(self) -> Self {
        self.answer(200, "Done", CallContent::List(Schemas::of::<T>))
    }

    /// It is answered 200 with this media type.
    pub(super) fn file(self, media_type: &'static str) -> Self {
        self.answer(200, "The file", CallContent::Of(media_type))
    }

    /// It is answered 200 with a stream of events of these types.
    pub(super) fn events(self, messages: &'static [SchemaOf]) -> Self {
        self.answer(200, "Events, as they happen", CallContent::Events(messages))
    }

    /// It may be answered without a body.
    pub(super) fn empty(self, status: u16, meaning: &'static str) -> Self {
        self.answer(status, meaning, CallContent::Empty)
    }

    fn answer(mut self, status: u16, meaning: &'static str, content: CallContent) -> Self {
        self.answers.push(CallAnswer { status, meaning, content });
        self
    }

    /// It takes a query parameter.
    pub(super) fn takes(
        mut self,
        name: &'static str,
        schema: Value,
        meaning: &'static str,
    ) -> Self {
        self.query.push(Parameter { name, schema, meaning });
        self
    }

    /// It shows a list in pages.
    pub(super) fn pages(self) -> Self {
        self.takes(
            "limit",
            json!({"type": "integer", "minimum": 1}),
            "Entries of a page; more than 500 mean 500",
        )
        .takes("cursor", text(), "`nextCursor` of the page before")
    }

    /// It makes a text that a spreadsheet opens.
    pub(super) fn bom(self) -> Self {
        self.takes("bom", json!({"enum": ["1", "0"]}), "1: begin with a byte order mark, for Excel")
    }

    /// It shows some of the stored records.
    pub(super) fn scope(self) -> Self {
        self.takes("scope", text(), "Only records with these values, as JSON: column to value")
    }

    /// It waits for news.
    pub(super) fn wait(self) -> Self {
        self.takes(
            "wait",
            json!({"type": "integer", "minimum": 0}),
            "Seconds to wait for news; more than 60 mean 60",
        )
        .empty(304, "Nothing changed since the ETag that the request names")
    }

    /// It takes this body.
    pub(super) fn body(self, body: Body) -> Self {
        Self { body: Some(body), ..self }
    }

    /// It takes a file to look at, or JSON of this type.
    pub(super) fn file_or<T: ToSchema>(self) -> Self {
        self.body(Body::FileOrJson(Schemas::of::<T>))
    }

    /// It takes JSON of this type.
    pub(super) fn body_of<T: ToSchema>(self) -> Self {
        self.body(Body::Json(Schemas::of::<T>))
    }
}

/// Any text.
pub(super) fn text() -> Value {
    json!({"type": "string"})
}
