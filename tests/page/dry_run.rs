//! A dry run on its page: what would change, and the button that imports the file.

use thirtyfour::Key;

use crate::looks::fits_a_phone;
use crate::support::Upload;
use crate::visits;

visits!(a_dry_run_is_read_and_then_imported, |server, visit| {
    server.load("products", Upload::csv("SKU,Name,Price\nA,Arnica,10\nB,Bryonia,2\n")).await;
    let file = "SKU,Name,Price\nA,Arnica,12.5\nB,Bryonia,2\nC,China,3\nD,,1\n";
    server.load("products", Upload::csv(file).option("dryRun", "true")).await;

    visit.go("/jobs/2").await;
    visit.reads("job-results", "Dry run completed, 1 row failed").await;
    visit.reads("job-counts", "Changed").await;
    visit.reads("row-differences", "2 of 2 rows shown").await;
    for words in ["selling_price", "10.00", "12.50", "(new)", "empty"] {
        visit.reads("row-differences tbody", words).await;
    }
    visit.click("[data-action='confirm']").await;
    visit.until("location.pathname === '/jobs/3'", &[]).await;
    visit.job_ends().await;
    visit.reads("job-page .about", "confirms job 2 (dry run)").await;
    visit.reads("job-counts", "Updated").await;
    let price = "select cast(selling_price * 10 as integer) from products where sku = 'A'";
    assert_eq!(server.database.number(price).await, 125);

    visit.go("/jobs/2").await;
    visit.reads("job-page", "imported by job 3").await;
    visit.click("[data-action='confirm']").await;
    visit.reads("job-actions .said", "was confirmed by job 3").await;
    visit.pardon("409");
});

const STORED: &str = "SKU,Name,Potency\nA,Arnica,Dilution\n";
const SLIPS: &str = "SKU,Name,Potency\nB,Bryonia,Dilusion\nC,China,Globuli\n";

visits!(a_slip_is_merged_before_the_import, |server, visit| {
    server.load("products", Upload::csv(STORED)).await;
    visit.screen(390, 844, true).await;
    visit.go("/").await;
    visit.sees("#dataset").await;
    visit.choose_files(&[("slips.csv", SLIPS.as_bytes())]).await;
    visit.reads("new-references", "Dilusion").await;
    visit.until("one('#new-potency-0').value === ''", &[]).await;
    visit.reads("new-references summary", "1 other new name").await;
    fits_a_phone(visit, "the new names").await;
    // By the keyboard alone.
    visit.tab_to("#new-potency-0").await;
    visit.press(Key::Down).await;
    visit.until("one('#new-potency-0').value === 'Dilution'", &[]).await;
    visit.click("#send").await;
    visit.until("location.pathname === '/jobs/2'", &[]).await;
    visit.job_ends().await;
    let potencies = server.database.rows("select code from potencies order by code").await;
    assert_eq!(potencies, [["Dilution"], ["Globuli"]]);
});

visits!(a_slip_is_merged_after_the_whole_file_was_checked, |server, visit| {
    server.load("products", Upload::csv(STORED)).await;
    server.load("products", Upload::csv(SLIPS).option("dryRun", "true")).await;
    visit.screen(390, 844, true).await;
    visit.go("/jobs/2").await;
    visit.reads("job-new-references", "Dilusion").await;
    fits_a_phone(visit, "the new names of a dry run").await;
    visit.tab_to("#new-potency-0").await;
    visit.press(Key::Down).await;
    visit.until("one('#new-potency-0').value === 'Dilution'", &[]).await;
    visit.click("[data-action='confirm']").await;
    visit.until("location.pathname === '/jobs/3'", &[]).await;
    visit.job_ends().await;
    let potencies = server.database.rows("select code from potencies order by code").await;
    assert_eq!(potencies, [["Dilution"], ["Globuli"]]);
});

const TWO: &str = "SKU,Name,Potency\nA,Arnica,Dilution\nB,Bryonia,Mother Tincture\n";
const SHORT: &str = "SKU,Name,Potency\nC,China,MT\nD,Drosera,Globuli\n";

visits!(any_stored_name_is_found_and_taken_instead, |server, visit| {
    server.load("products", Upload::csv(TWO)).await;
    visit.screen(390, 844, true).await;
    visit.go("/").await;
    visit.sees("#dataset").await;
    visit.choose_files(&[("short.csv", SHORT.as_bytes())]).await;
    visit.reads("new-references", "Globuli").await;
    // By the keyboard alone.
    visit.tab_to("#new-potency-0").await;
    visit.press(Key::Down).await;
    visit.until("document.activeElement.id === 'new-potency-0-search'", &[]).await;
    visit.press("tinct").await;
    let offered = "[...document.querySelectorAll('#new-potency-0-search-names option')]";
    let offered = format!("{offered}.map((it) => it.value).join() === 'Mother Tincture'");
    visit.until(&offered, &[]).await;
    visit.press(Key::Enter).await;
    visit.reads("new-references [role='status']", "No stored name is «tinct»").await;
    fits_a_phone(visit, "a search among stored names").await;
    visit.press(Key::Escape).await;
    visit.until("one('#new-potency-0').value === ''", &[]).await;
    visit.press(Key::Down).await;
    visit.until("document.activeElement.id === 'new-potency-0-search'", &[]).await;
    visit.press("mother tincture").await;
    visit.press(Key::Enter).await;
    visit.until("one('#new-potency-0').value === 'Mother Tincture'", &[]).await;
    visit.until("document.activeElement.id === 'new-potency-0'", &[]).await;
    visit.click("#send").await;
    visit.until("location.pathname === '/jobs/2'", &[]).await;
    visit.job_ends().await;
    let found = "select p.sku, o.code from products p join potencies o on o.id = p.potency_id \
                 where p.sku in ('C', 'D') order by p.sku";
    let found = server.database.rows(found).await;
    assert_eq!(found, [["C", "Mother Tincture"], ["D", "Globuli"]]);
});
