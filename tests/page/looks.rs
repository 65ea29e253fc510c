//! How the page looks: on a phone, in the dark, to those who need contrast.

use serde_json::{Value, json};

use crate::files::{FAULTY, list};
use crate::support::{SLOW, Server, Upload};
use crate::visit::Visit;
use crate::visits;
use crate::watch::SMALL_CHUNKS;

/// The elements that stand out of the screen to the right, unless a part that scrolls holds them.
const TOO_WIDE: &str = "
    const width = document.documentElement.clientWidth;
    const scrolls = (it) => it && it !== document.body
        && (getComputedStyle(it).overflowX !== 'visible' || scrolls(it.parentElement));
    const wide = [...document.querySelectorAll('body *')]
        .filter((it) => it.getBoundingClientRect().right > width + 1 && !scrolls(it.parentElement))
        .map((it) => it.outerHTML.slice(0, 120));
    return [document.documentElement.scrollWidth, innerWidth, wide.slice(0, 5)];";

pub(crate) async fn fits_a_phone(visit: &Visit, what: &str) {
    let found = visit.run(TOO_WIDE, &[]).await;
    assert_eq!(found, json!([390, 390, []]), "{what} is wider than a phone");
}

/// Texts whose contrast with what is behind them is below what WCAG 2 asks for (AA).
const FAINT: &str = "
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const paint = (layers) => {
        canvas.clearRect(0, 0, 1, 1);
        for (const colour of layers) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const channel = (it) => (it / 255 <= 0.04045 ? it / 255 / 12.92 : ((it / 255 + 0.055) / 1.055) ** 2.4);
    const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    const behind = (it) => {
        const layers = [];
        for (; it; it = it.parentElement) layers.unshift(getComputedStyle(it).backgroundColor);
        return ['Canvas', ...layers];
    };
    const faint = [];
    for (const it of document.querySelectorAll('body *')) {
        const own = [...it.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        const shown = it.checkVisibility({ visibilityProperty: true, opacityProperty: true });
        const box = it.getBoundingClientRect();
        if (!own || !shown || box.width < 4 || it.closest(':disabled, [aria-disabled=true], noscript')) continue;
        const style = getComputedStyle(it);
        const back = light(paint(behind(it)));
        const fore = light(paint([...behind(it), style.color]));
        const contrast = (Math.max(back, fore) + 0.05) / (Math.min(back, fore) + 0.05);
        const size = parseFloat(style.fontSize);
        const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
        if (contrast < (large ? 3 : 4.5)) faint.push(`${contrast.toFixed(2)} ${it.outerHTML.slice(0, 120)}`);
    }
    const page = light(paint(behind(document.body)));
    return [page, faint.slice(0, 8)];";

/// How light the page's background is, from 0 to 1; every text on it can be read.
async fn readable(visit: &Visit, what: &str) -> f64 {
    let found = visit.run(FAINT, &[]).await;
    assert_eq!(found[1], json!([]), "texts that can hardly be read: {what}");
    found[0].as_f64().expect("a number")
}

/// One job with errors, one without, and one that is paused.
async fn jobs(server: &Server) {
    for text in [FAULTY, &list("N", 300)] {
        let job = server.import("products", Upload::csv(text)).await;
        server.finished(job).await;
    }
    let job = server.import("products", Upload::csv(&list("P", 30_000))).await;
    server.until(job, |job| job["status"] == "processing").await;
    server.action(job, "pause").await.ok();
}

/// Shows the page in all its states, one after the other.
async fn through_all_states<T>(visit: &mut Visit, look: impl AsyncFn(&Visit, &str) -> T) -> Vec<T> {
    let mut looks = Vec::new();
    visit.go("/").await;
    visit.sees("job-list [data-job='1']").await;
    looks.push(look(visit, "the list").await);
    visit.choose_files(&[("faulty.csv", FAULTY.as_bytes())]).await;
    visit.sees(".preview").await;
    visit.reads(".preview", "Belladonna").await;
    looks.push(look(visit, "the preview").await);
    for job in ["1", "2"] {
        visit.go(&format!("/jobs/{job}")).await;
        visit.job_ends().await;
        visit.until("all('job-log .line').length > 0", &[]).await;
        looks.push(look(visit, "a job").await);
    }
    visit.click("#actions button[data-action=retry]").await;
    visit.sees("dialog").await;
    looks.push(look(visit, "a question").await);
    visit.go("/jobs/3").await;
    visit.reads("#status", "paused").await;
    looks.push(look(visit, "a job that stands still").await);
    looks
}

visits!(a_phone_never_scrolls_sideways, [SMALL_CHUNKS, SLOW], |server, visit| {
    jobs(server).await;
    visit.screen(390, 844, true).await;
    through_all_states(visit, fits_a_phone).await;
    // A name without a place to break it, as long as file systems take.
    let long = format!("{}.csv", "x".repeat(200));
    server.load("products", Upload::file(&long, FAULTY)).await;
    for path in ["/", "/jobs/4"] {
        visit.go(path).await;
        visit.until("text('main').includes('xxxxx')", &[]).await;
        fits_a_phone(visit, path).await;
    }
    server.cancel(3).await.ok();
});

/// The parts of the page that stand out of a phone's screen or are cut, and those with no text.
const CUT: &str = "
    return arguments[0].flatMap((css) => {
        const parts = [...document.querySelectorAll(css)];
        if (parts.length === 0) return [`${css} is not there`];
        return parts.filter((it) => {
            const { left, right, width } = it.getBoundingClientRect();
            const hides = (box) => getComputedStyle(box).overflowX === 'hidden'
                && box.getBoundingClientRect().right < right - 1;
            const isCut = it.scrollWidth > it.clientWidth + 1 && getComputedStyle(it).overflowX === 'hidden';
            return left < 0 || right > innerWidth + 1 || width < 4 || isCut || hides(it.parentElement)
                || !it.innerText.trim();
        }).map((it) => `${css}: ${it.outerHTML.slice(0, 120)}`);
    });";

async fn shows_all_of(visit: &Visit, parts: &[&str]) {
    let found = visit.run(CUT, &[json!(parts)]).await;
    assert_eq!(found, json!([]), "a phone does not show all of them");
}

/// Columns that are wider together than a phone, and two rows that fail.
const WIDE: &str = "SKU,Name,Category,Potency,Pack Size,Manufacturer,Selling Price,MRP,Qty\n\
    W-1,Arnica montana,Dilutions,30C,30 ml bottle,Northern Remedies,on request,12.50,4\n\
    W-2,Belladonna,Dilutions,200C,30 ml bottle,Northern Remedies,10.50,cheap,4\n\
    W-3,Calendula officinalis,Drops,6C,50 ml bottle,Northern Remedies,9.50,11.50,4\n";

visits!(a_phone_shows_the_empty_list_and_the_preview_whole, |_server, visit| {
    visit.screen(390, 844, true).await;
    visit.reload().await;
    visit.reads("job-list", "no jobs yet").await;
    fits_a_phone(visit, "the empty list").await;
    shows_all_of(visit, &[".empty", ".empty > p", ".empty .command"]).await;
    visit.choose_files(&[("wide.csv", WIDE.as_bytes())]).await;
    visit.reads(".preview", "Belladonna").await;
    fits_a_phone(visit, "the preview").await;
    visit.run("document.querySelector('.mapping').open = true", &[]).await;
    visit.sees(".mapping .samples").await;
    visit.reads(".mapping .samples", "W-1").await;
    shows_all_of(visit, &[".mapping tbody th", ".mapping .samples", ".first-rows .reason p"]).await;
    assert_eq!(visit.count(".first-rows .reason p").await, 2);
});

visits!(every_text_can_be_read_by_day_and_by_night, [SMALL_CHUNKS, SLOW], |server, visit| {
    jobs(server).await;
    for (colours, is_dark) in [("light", false), ("dark", true)] {
        visit.prefer(colours).await;
        for light in through_all_states(visit, readable).await {
            assert_eq!(light < 0.2, is_dark, "{colours}: the background's lightness is {light}");
        }
    }
    server.cancel(3).await.ok();
});

visits!(older_addresses_lead_to_the_page, [SMALL_CHUNKS, SLOW], |server, visit| {
    jobs(server).await;
    visit.go("/products/import-export-advanced").await;
    visit.until("location.pathname === '/' && one('#dataset')", &[]).await;
    let chosen = visit.run("return document.querySelector('#dataset').value", &[]).await;
    assert_eq!(chosen, Value::from("products"));

    // The browser's own way back and forth.
    visit.click("job-list [data-job='2'] a").await;
    visit.sees("job-page").await;
    visit.run("history.back()", &[]).await;
    visit.sees("job-list [data-job='2']").await;
    visit.misses("job-page").await;
    server.cancel(3).await.ok();
});
