//! A visit to the page, step by step as somebody would make it: go, drop, click, type, wait for
//! what should be seen. Waiting is for a condition in the page, with a limit. Ends by checking that
//! the page raised no error and asked nobody but its own server.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use thirtyfour::prelude::*;

use crate::browser::Browser;
use crate::support::Server;

/// For what a visitor waits at most.
pub(crate) const PATIENCE: Duration = Duration::from_mins(3);

/// A browser that shows the page of a server.
#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) browser: Browser,
    origin: String,
    pardoned: Vec<&'static str>,
    /// How many files the visitor brought along.
    pub(crate) files: usize,
}

/// A line of a job's log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Line {
    pub(crate) classes: String,
    pub(crate) text: String,
}

impl Line {
    /// True for a line of this kind: `created`, `error`, …
    pub(crate) fn is(&self, kind: &str) -> bool {
        self.classes.split_whitespace().any(|class| class == kind)
    }

    /// The row that it tells of.
    pub(crate) fn row(&self) -> Option<u64> {
        let (_, after) = self.text.split_once("Row ")?;
        after.split_once(':')?.0.parse().ok()
    }
}

/// The rows that the lines of a kind tell of, in order.
pub(crate) fn told(lines: &[Line], kind: &str) -> Vec<u64> {
    lines.iter().filter(|line| line.is(kind)).filter_map(Line::row).collect()
}

impl Visit {
    /// Opens the page on a screen as it stands on a desk.
    pub(crate) async fn begin(server: &Server) -> Self {
        Self::begin_at(server.address()).await
    }

    /// Opens the page of a server that lies at this address.
    pub(crate) async fn begin_at(address: &str) -> Self {
        let (browser, origin) = (Browser::start().await, address.to_owned());
        let visit = Self { browser, origin, pardoned: Vec::new(), files: 0 };
        visit.screen(1280, 800, false).await;
        visit.go("/").await;
        visit
    }

    /// Goes to an address of the page.
    pub(crate) async fn go(&self, path: &str) {
        let address = format!("{}{path}", self.origin);
        self.browser.driver().goto(&address).await.unwrap_or_else(|e| panic!("{address}: {e}"));
    }

    /// Loads the page again.
    pub(crate) async fn reload(&self) {
        self.browser.driver().refresh().await.expect("the page loads again");
    }

    /// The path that the address bar shows.
    pub(crate) async fn path(&self) -> String {
        self.browser.driver().current_url().await.expect("an address").path().to_owned()
    }

    /// A command of the browser's protocol for developers.
    pub(crate) async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let answer = self.browser.driver().cdp().send_raw(command, parameters).await;
        answer.unwrap_or_else(|e| panic!("{command}: {e}"))
    }

    /// Runs the body of a function in the page; it finds the values in `arguments`.
    pub(crate) async fn run(&self, body: &str, values: &[Value]) -> Value {
        let result = self.browser.driver().execute(body, values).await;
        result.unwrap_or_else(|e| panic!("`{body}`: {e}")).json().clone()
    }

    /// Waits until an expression is true in the page, and gives its value. It may use `one(css)`,
    /// `all(css)`, `text(css)`, `seen(css)` and the values as `values[0]`.
    pub(crate) async fn until(&self, expression: &str, values: &[Value]) -> Value {
        let limit = Instant::now() + PATIENCE;
        loop {
            let left = limit.saturating_duration_since(Instant::now()).as_millis();
            let body = WAIT.replace("EXPRESSION", expression).replace("LIMIT", &left.to_string());
            match self.browser.driver().execute_async(body, values).await {
                Ok(result) => match result.json() {
                    Value::Object(it) if it.contains_key("late") => {
                        self.give_up(expression, values, &it["late"]).await;
                    }
                    value => return value.clone(),
                },
                // The page was left while the script waited in it.
                Err(fault) if Instant::now() < limit && fault.to_string().contains("unload") => {}
                Err(fault) => panic!("`{expression}`: {fault}"),
            }
        }
    }

    /// Likes the colours of the day (`light`) or those of the night (`dark`) better.
    pub(crate) async fn prefer(&self, colours: &str) {
        let wish = json!({"features": [{"name": "prefers-color-scheme", "value": colours}]});
        self.devtools("Emulation.setEmulatedMedia", wish).await;
        // Colours change gradually.
        self.until("!document.getAnimations().some((it) => it instanceof CSSTransition)", &[])
            .await;
    }

    /// Looks at the page on a screen of this size.
    pub(crate) async fn screen(&self, width: u32, height: u32, is_phone: bool) {
        let scale = if is_phone { 2 } else { 1 };
        let screen = json!({"width": width, "height": height, "deviceScaleFactor": scale, "mobile": is_phone});
        self.devtools("Emulation.setDeviceMetricsOverride", screen).await;
    }

    /// Waits until somebody can see an element.
    pub(crate) async fn sees(&self, css: &str) {
        self.until("seen(values[0])", &[json!(css)]).await;
    }

    /// Waits until an element can be seen and its text has these words, whatever their case.
    pub(crate) async fn reads(&self, css: &str, words: &str) {
        let has = "seen(values[0]) && text(values[0]).toLowerCase().includes(values[1])";
        self.until(has, &[json!(css), json!(words.to_lowercase())]).await;
    }

    /// Waits until nobody can see an element.
    pub(crate) async fn misses(&self, css: &str) {
        self.until("!seen(values[0])", &[json!(css)]).await;
    }

    /// How many elements there are.
    pub(crate) async fn count(&self, css: &str) -> u64 {
        let body = "return document.querySelectorAll(arguments[0]).length";
        self.run(body, &[json!(css)]).await.as_u64().expect("a number")
    }

    /// An element that somebody can see.
    pub(crate) async fn element(&self, css: &str) -> WebElement {
        self.sees(css).await;
        let found = self.browser.driver().find(By::Css(css)).await;
        found.unwrap_or_else(|e| panic!("{css}: {e}"))
    }

    /// Waits until the job's page shows its end, and gives what its status says.
    pub(crate) async fn job_ends(&self) -> String {
        let end = "['completed', 'failed', 'cancelled'].includes(one('#status')?.dataset.status) \
                   && text('#status')";
        self.until(end, &[]).await.as_str().expect("a text").to_owned()
    }

    /// Waits until the page of an ended job has received its last event: after that it asks the
    /// server for nothing by itself, so what is changed there stays unknown to it.
    pub(crate) async fn stream_ends(&self) {
        self.until("all('job-log .line').at(-1)?.dataset.step === 'complete'", &[]).await;
    }

    /// All lines of the log of a job that has ended. The page is told of them, and asks for the
    /// status: one may be ahead of the other.
    pub(crate) async fn whole_log(&self) -> Vec<Line> {
        let limit = Instant::now() + PATIENCE;
        loop {
            let lines = self.lines().await;
            if lines.last().is_some_and(|line| line.is("complete")) {
                return lines;
            }
            assert!(Instant::now() < limit, "the log does not end: {:?}", lines.last());
        }
    }

    /// All lines of the log from the first to the last, those too that are drawn only when
    /// somebody scrolls to them.
    pub(crate) async fn lines(&self) -> Vec<Line> {
        self.sees("job-log [role=log]").await;
        let result = self.browser.driver().execute_async(LINES, Vec::new()).await;
        let lines = result.expect("the log can be read").json().clone();
        let line = |it: &Value| {
            let part = |index: usize| it[index].as_str().unwrap_or_default().to_owned();
            Line { classes: part(0), text: part(1) }
        };
        lines.as_array().expect("a list").iter().map(line).collect()
    }

    /// Lets errors in the page's console pass that have these words.
    pub(crate) fn pardon(&mut self, words: &'static str) {
        self.pardoned.push(words);
    }

    /// Writes a picture of what is seen.
    pub(crate) async fn picture(&self, path: &std::path::Path) {
        let picture = self.browser.driver().screenshot(path).await;
        picture.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }

    /// Ends the visit: the console holds no error, and no other host was asked for anything.
    pub(crate) async fn end(self) {
        let errors = self.console().await;
        assert!(errors.is_empty(), "errors in the page's console:\n{}", errors.join("\n"));
        let strangers = self.strangers().await;
        assert!(strangers.is_empty(), "the page asked for {strangers:?}");
    }

    /// The errors in the page's console, but for the pardoned ones.
    async fn console(&self) -> Vec<String> {
        let entries = self.browser.driver().browser_log().await.expect("the console's log");
        let mut errors = Vec::new();
        for entry in entries {
            let is_pardoned = self.pardoned.iter().any(|words| entry.message.contains(words));
            if entry.level == "SEVERE" && !is_pardoned {
                errors.push(entry.message);
            }
        }
        errors
    }

    /// The addresses outside of the server that something was requested from.
    async fn strangers(&self) -> Vec<String> {
        let entries = self.browser.driver().get_log("performance").await.expect("the log");
        let own = format!("{}/", self.origin);
        let mut asked = 0;
        let mut strangers = Vec::new();
        for entry in entries {
            let event: Value = serde_json::from_str(&entry.message).expect("JSON");
            let event = &event["message"];
            if event["method"] != "Network.requestWillBeSent" {
                continue;
            }
            let address = event["params"]["request"]["url"].as_str().expect("an address");
            asked += 1;
            if !address.starts_with(&own) && !address.starts_with("data:") {
                strangers.push(address.to_owned());
            }
        }
        assert!(asked > 0, "the browser's log holds no request at all");
        strangers
    }

    async fn give_up(&self, expression: &str, values: &[Value], fault: &Value) -> ! {
        let body = "return document.querySelector('main').innerText.replace(/\\s*\\n\\s*/g, ' | ').slice(0, 3000)";
        let shown = self.run(body, &[]).await;
        let console = self.console().await.join("\n");
        panic!(
            "waited in vain for `{expression}` with {values:?} ({fault}) at {}\nthe page \
             shows: {}\nits console says: {console}",
            self.path().await,
            shown.as_str().unwrap_or_default()
        )
    }
}

/// Asks again and again, in the page, until the expression is true or the limit is reached.
const WAIT: &str = r"
const values = [...arguments];
const done = values.pop();
const all = (css) => [...document.querySelectorAll(css)];
const one = (css) => document.querySelector(css);
const seen = (css) => all(css).some((it) => it.checkVisibility({ visibilityProperty: true })
    && it.getClientRects().length > 0);
const text = (css) => one(css)?.innerText ?? '';
const limit = Date.now() + LIMIT;
let fault = null;
const again = () => {
    try {
        const value = EXPRESSION;
        if (value) return done(value);
    } catch (error) {
        fault = String(error);
    }
    if (Date.now() > limit) return done({ late: fault });
    setTimeout(again, 20);
};
again();
";

/// Scrolls through the log and collects its lines by the place where they stand.
const LINES: &str = r"
const done = arguments[arguments.length - 1];
const log = document.querySelector('job-log [role=log]');
const drawn = () => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
(async () => {
    const found = new Map();
    const before = log.scrollTop;
    for (let top = 0; ; top += Math.max(50, log.clientHeight - 40)) {
        log.scrollTop = top;
        await drawn();
        const origin = log.getBoundingClientRect().top - log.scrollTop;
        for (const line of log.querySelectorAll('.line')) {
            const at = Math.round(line.getBoundingClientRect().top - origin);
            found.set(at, [`${line.className} ${line.dataset.step ?? ''}`, line.innerText]);
        }
        if (top >= log.scrollHeight - log.clientHeight) break;
    }
    log.scrollTop = before;
    done([...found].sort(([a], [b]) => a - b).map(([, line]) => line));
})();
";
