//! What a visitor does with mouse and keyboard: click, type, drag files onto the page.

use std::time::Instant;

use serde_json::json;
use thirtyfour::prelude::*;

use crate::visit::{PATIENCE, Visit};

impl Visit {
    /// Clicks on an element as soon as it takes clicks; once more if the pointer missed it, because
    /// the page drew it anew or moved it meanwhile.
    pub(crate) async fn click(&self, css: &str) {
        let limit = Instant::now() + PATIENCE;
        loop {
            self.until("seen(values[0]) && !one(values[0]).disabled", &[json!(css)]).await;
            let witness = "window.clicked = false; document.querySelector(arguments[0])\
                           ?.addEventListener('click', () => window.clicked = true, true)";
            self.run(witness, &[json!(css)]).await;
            let clicked = match self.browser.driver().find(By::Css(css)).await {
                Ok(element) => element.click().await,
                Err(fault) => Err(fault),
            };
            // Who clicked away from the page finds no witness in the next one.
            if self.run("return window.clicked !== false", &[]).await == json!(true) {
                return;
            }
            assert!(Instant::now() < limit, "{css} takes no click: {clicked:?}");
        }
    }

    /// Moves the pointer to the corner, where nothing is.
    pub(crate) async fn point_at_nothing(&self) {
        let chain = self.browser.driver().action_chain().move_to(1, 1);
        chain.perform().await.expect("the pointer moves");
    }

    /// Presses a key wherever the focus is.
    pub(crate) async fn press(&self, keys: impl Into<TypingData>) {
        let chain = self.browser.driver().action_chain().send_keys(keys);
        chain.perform().await.expect("the keyboard works");
    }

    /// Presses Tab until the focus is on an element, as somebody without a mouse does.
    pub(crate) async fn tab_to(&self, css: &str) {
        let mut passed = Vec::new();
        for _ in 0..60 {
            self.press(Key::Tab).await;
            let body = "const it = document.activeElement; \
                        return [it.matches(arguments[0]), it.outerHTML.slice(0, 80)]";
            let at = self.run(body, &[json!(css)]).await;
            if at[0] == true {
                return;
            }
            passed.push(at[1].to_string());
        }
        panic!("Tab does not lead to {css}, only to\n{}", passed.join("\n"));
    }

    /// Drags files from the desktop onto an element and lets them go.
    pub(crate) async fn drop_files(&mut self, css: &str, files: &[(&str, &[u8])]) {
        let paths: Vec<String> = files.iter().map(|(name, bytes)| self.put(name, bytes)).collect();
        let body = "const it = document.querySelector(arguments[0]); it.scrollIntoView(); \
                    const at = it.getBoundingClientRect(); \
                    return [at.x + at.width / 2, at.y + at.height / 2]";
        self.sees(css).await;
        let place = self.run(body, &[json!(css)]).await;
        for step in ["dragEnter", "dragOver", "drop"] {
            let load = json!({"items": [], "files": paths, "dragOperationsMask": 1});
            let event = json!({"type": step, "x": place[0], "y": place[1], "data": load});
            self.devtools("Input.dispatchDragEvent", event).await;
        }
    }

    /// Chooses files in the dialog of the page's file field.
    pub(crate) async fn choose_files(&mut self, files: &[(&str, &[u8])]) {
        let paths: Vec<String> = files.iter().map(|(name, bytes)| self.put(name, bytes)).collect();
        self.until("one('#file')", &[]).await;
        let field = self.browser.driver().find(By::Css("#file")).await.expect("the file field");
        field.send_keys(paths.join("\n")).await.expect("the files are chosen");
    }

    /// Puts a file where the browser can read it.
    fn put(&mut self, name: &str, bytes: &[u8]) -> String {
        self.files += 1;
        let folder = self.browser.folder().join(format!("file-{}", self.files));
        std::fs::create_dir(&folder).expect("a folder for the file");
        let path = folder.join(name);
        std::fs::write(&path, bytes).expect("the file can be written");
        path.into_os_string().into_string().expect("a path")
    }
}
