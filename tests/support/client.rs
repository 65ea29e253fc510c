//! A client of the API: one method for each call, the answer as it came.

use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Method, RequestBuilder, Url};
use serde_json::Value;

use super::server::Server;

/// Longest time that a job of a test may take.
const JOB_LIMIT: Duration = Duration::from_mins(10);

/// A builder of HTTP clients that reach this machine only. reqwest takes the process's cryptography
/// provider and panics without one, although no test speaks TLS.
pub(crate) fn http_client() -> reqwest::ClientBuilder {
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    // The certificates of the system take longer to read than most tests to run.
    reqwest::Client::builder().no_proxy().tls_certs_only([])
}

/// An answer of the server.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
    /// The body as JSON; null when it is none.
    pub(crate) json: Value,
}

impl Answer {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a header of plain text"))
    }

    /// The body as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).expect("the body is UTF-8")
    }

    /// `data` of the envelope.
    pub(crate) fn data(&self) -> &Value {
        &self.json["data"]
    }

    /// The stable code of a problem; empty when there is none.
    pub(crate) fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    /// Asserts that the answer is a problem document with this status and code.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.text());
        let media_type = self.header("content-type").unwrap_or_default();
        assert!(media_type.starts_with("application/problem+json"), "{media_type}");
        assert_eq!(self.json["success"], false);
        for member in ["type", "title", "detail"] {
            let text = self.json[member].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "`{member}` says nothing: {}", self.text());
        }
        assert_eq!(self.json["status"], status);
    }

    /// Asserts success and gives `data`.
    #[track_caller]
    pub(crate) fn ok(&self) -> &Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.bytes));
        assert_eq!(self.json["success"], true, "{}", self.text());
        self.data()
    }
}

/// A file and how it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    name: String,
    bytes: Vec<u8>,
    media_type: Option<String>,
    is_raw: bool,
    options: Vec<(String, String)>,
    fields: Vec<(String, String)>,
    headers: Vec<(String, String)>,
}

impl Upload {
    /// A file as multipart field `file`.
    pub(crate) fn file(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.to_owned(),
            bytes: bytes.into(),
            media_type: None,
            is_raw: false,
            options: Vec::new(),
            fields: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// A CSV file called `products.csv`.
    pub(crate) fn csv(text: &str) -> Self {
        Self::file("products.csv", text)
    }

    /// Sends the file as the body itself, with its name in `Content-Disposition`.
    pub(crate) fn raw(mut self) -> Self {
        self.is_raw = true;
        self
    }

    /// The media type of the part or of the body.
    pub(crate) fn media_type(mut self, media_type: &str) -> Self {
        self.media_type = Some(media_type.to_owned());
        self
    }

    /// An option in the query.
    pub(crate) fn option(mut self, name: &str, value: &str) -> Self {
        self.options.push((name.to_owned(), value.to_owned()));
        self
    }

    /// An option as a form field before the file.
    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A header of the request.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn request(self, server: &Server, dataset: &str) -> RequestBuilder {
        let mut url = server.url(&format!("/api/v1/import/{dataset}"));
        if !self.options.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.options);
        }
        let mut request = server.http.post(url);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let media_type = self.media_type.as_deref();
        if self.is_raw {
            let name = format!("attachment; filename=\"{}\"", self.name);
            return request
                .header("content-type", media_type.unwrap_or("application/octet-stream"))
                .header("content-disposition", name)
                .body(Body::from(self.bytes));
        }
        let mut part = Part::bytes(self.bytes).file_name(self.name);
        if let Some(media_type) = media_type {
            part = part.mime_str(media_type).expect("a media type");
        }
        let form =
            self.fields.into_iter().fold(Form::new(), |form, (name, value)| form.text(name, value));
        request.multipart(form.part("file", part))
    }
}

impl Server {
    pub(super) fn url(&self, path: &str) -> Url {
        format!("{}{path}", self.address()).parse().expect("an address")
    }

    /// Sends any request; the server is at fault for none of them.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        let answer = self.send_any(request).await;
        let status = answer.status;
        assert!(status < 500 || status == 503, "{status}: {}", answer.text());
        answer
    }

    /// Sends an upload to a server that may have no room for it.
    pub(crate) async fn full(&self, upload: Upload) -> Answer {
        self.send_any(upload.request(self, "products")).await
    }

    /// `GET` of a file for which the server may have no room.
    pub(crate) async fn full_get(&self, path: &str) -> Answer {
        self.send_any(self.request(Method::GET, path)).await
    }

    async fn send_any(&self, request: RequestBuilder) -> Answer {
        let answer = request.send().await.unwrap_or_else(|e| {
            panic!("no answer: {e:?}; the server's log:\n{}", self.log());
        });
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let bytes = answer.bytes().await.expect("the whole body").to_vec();
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status, headers, bytes, json }
    }

    /// A request that the test fills itself.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path))
    }

    /// `GET` of any path.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// `POST /api/v1/import/{dataset}`.
    pub(crate) async fn upload(&self, dataset: &str, upload: Upload) -> Answer {
        self.send(upload.request(self, dataset)).await
    }

    /// Uploads a file that is accepted, and gives the job's number.
    pub(crate) async fn import(&self, dataset: &str, upload: Upload) -> i64 {
        let answer = self.upload(dataset, upload).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        assert_eq!(answer.json["success"], true);
        let job = answer.data()["jobId"].as_i64().expect("a job number");
        let status_url = format!("/api/v1/import/status/{job}");
        assert_eq!(answer.data()["statusUrl"], status_url.as_str());
        assert_eq!(answer.header("location"), Some(status_url.as_str()));
        assert!(answer.header("retry-after").is_some());
        job
    }

    /// Uploads a file, waits for the job's end, checks the guarantees, and gives its status.
    pub(crate) async fn load(&self, dataset: &str, upload: Upload) -> Value {
        let job = self.import(dataset, upload).await;
        let status = self.finished(job).await;
        super::check_guarantees(self, job).await;
        status
    }

    /// `GET /api/v1/import/status/{id}`.
    pub(crate) async fn status(&self, job: i64) -> Answer {
        self.get(&format!("/api/v1/import/status/{job}")).await
    }

    /// Waits for the job's end and gives its status.
    pub(crate) async fn finished(&self, job: i64) -> Value {
        self.until(job, |status| {
            let word = status["status"].as_str().unwrap_or_default();
            matches!(word, "completed" | "failed" | "cancelled")
        })
        .await
    }

    /// Waits until the job's status fulfils a condition, and gives it. Is told of every change.
    pub(crate) async fn until(&self, job: i64, holds: impl Fn(&Value) -> bool) -> Value {
        let limit = Instant::now() + JOB_LIMIT;
        let mut answer = self.status(job).await;
        loop {
            if holds(answer.ok()) {
                return answer.data().clone();
            }
            let tag = answer.header("etag").expect("a status has a tag").to_owned();
            let request = self.request(Method::GET, &format!("/api/v1/import/status/{job}?wait=1"));
            let next = self.send(request.header("if-none-match", tag)).await;
            if next.status != 304 {
                answer = next;
            }
            assert!(
                Instant::now() < limit,
                "job {job} did not get there: {}\nthe server's log:\n{}",
                answer.text(),
                self.log()
            );
        }
    }

    /// `POST /api/v1/import/jobs/{id}/{action}`.
    pub(crate) async fn action(&self, job: i64, action: &str) -> Answer {
        let path = format!("/api/v1/import/jobs/{job}/{action}");
        self.send(self.request(Method::POST, &path)).await
    }

    /// `POST /api/v1/import/jobs/{id}/cancel`.
    pub(crate) async fn cancel(&self, job: i64) -> Answer {
        self.action(job, "cancel").await
    }

    /// `GET /api/v1/import/jobs`, with a query such as `?status=failed`.
    pub(crate) async fn jobs(&self, query: &str) -> Answer {
        self.get(&format!("/api/v1/import/jobs{query}")).await
    }

    /// `GET /api/v1/import/jobs/{id}/errors`, with a query such as `?limit=10`.
    pub(crate) async fn errors(&self, job: i64, query: &str) -> Answer {
        self.get(&format!("/api/v1/import/jobs/{job}/errors{query}")).await
    }

    /// The file of the failed rows, `csv` or `xlsx`.
    pub(crate) async fn errors_file(&self, job: i64, extension: &str) -> Answer {
        self.get(&format!("/api/v1/import/jobs/{job}/errors.{extension}")).await
    }

    /// `GET /api/v1/datasets`.
    pub(crate) async fn datasets(&self) -> Answer {
        self.get("/api/v1/datasets").await
    }

    /// `GET /api/v1/datasets/{name}`.
    pub(crate) async fn dataset(&self, name: &str) -> Answer {
        self.get(&format!("/api/v1/datasets/{name}")).await
    }

    /// The template of a dataset, `csv` or `xlsx`.
    pub(crate) async fn template(&self, dataset: &str, extension: &str) -> Answer {
        self.get(&format!("/api/v1/datasets/{dataset}/template.{extension}")).await
    }
}
