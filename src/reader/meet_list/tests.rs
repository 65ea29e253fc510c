//! Lists of a few lines: what becomes of each line.

use super::*;

/// A list of format `version` with these lines between its head and its end.
fn list(version: u8, lines: &str) -> String {
    format!(
        "(* a remark *)\nFORMAT:Wettkampfdefinitionsliste;{version};\nERZEUGER:a;1;a@example.org;\n\
         VERANSTALTUNG:Testfest;Ulm;25;AUTOMATISCH;\nVERANSTALTUNGSORT:Bad;;;Ulm;GER;;;;\n\
         AUSSCHREIBUNGIMNETZ:;\nVERANSTALTER:SV;\nAUSRICHTER:SV;A, B;;;;;;;a@example.org;\n\
         MELDEADRESSE:A, B;;;;;;;a@example.org;\nMELDESCHLUSS:01.03.2026;18:00;\n\
         ABSCHNITT:1;15.03.2026;08:00;08:30;09:00;N;\n{lines}\nDATEIENDE\n"
    )
}

fn parse(text: &str) -> MeetList {
    MeetList::parse(text, MeetChoice::Asked(&Options::default())).unwrap()
}

/// The line of each row, with the first cells of an event or the fault.
fn rows(list: &MeetList) -> Vec<String> {
    let mut row = RawRow::new();
    let mut texts = Vec::new();
    while list.row(texts.len(), &mut row) {
        let text = match &row.fault {
            Some(fault) => fault.to_string(),
            None => row.cells().take(3).map(|(text, _)| text).collect::<Vec<_>>().join("|"),
        };
        texts.push(format!("{} {text}", row.line));
    }
    texts
}

fn warnings(list: &MeetList) -> Vec<String> {
    list.warnings.iter().map(crate::domain::warning::Warning::message).collect()
}

#[test]
fn an_event_has_what_all_lines_say_of_it() {
    let text = list(
        7,
        "WETTKAMPF: 4;e;1;4;50;f;GL;X;SW;;; (* 4x50m *)\nWETTKAMPF:5;V;1;;100;F;GL;W;SW;4;E;\n\
         WERTUNG:4;E;1;JG;2013;;M;Jahrgang 2013;\nPFLICHTZEIT:4;E;AK;20;25;00:01:05,00;M;\n\
         MELDEGELD:WKMELDEGELD;6,50;4;\nMELDEGELD:Einzelmeldegeld;5,00;;",
    );
    let list = parse(&text);
    let mut row = RawRow::new();
    assert!(list.row(0, &mut row));
    let cells: Vec<_> = row.cells().map(|(text, _)| text.to_owned()).collect();
    let named: Vec<_> =
        HEADER.iter().zip(&cells).map(|(name, cell)| format!("{name}={cell}")).collect();
    insta::assert_snapshot!(named.join("\n"), @r#"
    meeting=Testfest 2026-03-15
    event_number=4
    kind=E
    meeting_name=Testfest
    city=Ulm
    course=25
    timing=AUTOMATISCH
    place_in_order=1
    section=1
    section_date=2026-03-15
    section_start=09:00
    start_is_relative=false
    swimmers=4
    distance=50
    stroke=F
    exercise=GL
    gender=X
    ranking=SW
    qualifying_event=
    qualifying_kind=
    classes=[{"id":1,"type":"JG","min":"2013","max":"2013","gender":"M","name":"Jahrgang 2013"}]
    qualifying_times=[{"type":"AK","min":"20","max":"25","time":"00:01:05,00","gender":"M"}]
    fee=6.50
    "#);
    assert_eq!(rows(&list).len(), 2);
    assert!(list.warnings.is_empty(), "{:?}", list.warnings);
}

#[test]
fn each_faulty_line_is_a_row_that_names_line_element_and_attribute() {
    let text = list(
        7,
        "ABSCHNITT:1;16.03.2026;;;10:00;;\nWETTKAMPF:1;V;1;;50;S;KB;W;SW;;;\nWETTKAMPF:2;Q;1;;50;S;GL;W;SW;;;\n\
         WETTKAMPF:3;E;9;;50;S;GL;W;SW;;;\nWETTKAMPF:4;E;1;;50;S;GL;W;SW;;;\nWETTKAMPF:4;E;1;;50;S;GL;W;SW;;;\n\
         WETTKAMPF:5;E;1;;50;S;GL;\nWETTKAMPF:6;E;1;;5O;S;GL;W;SW;;;\nWERTUNG:4;E;1;JG;0;9999;;Offen;\n\
         WERTUNG:4;E;1;JG;0;9999;;Offen;\nMELDEGELD:Einzelmeldegeld;5.00;;\nMELDEGELD:;5,00;;\n\
         LASTSCHRIFT:J;\nBESONDERES:a; (* open\nhello\nERZEUGER:a;1;b;",
    ) + "WETTKAMPF:9;E;1;;50;S;GL;W;SW;;;\n";
    insta::assert_snapshot!(rows(&parse(&text)).join("\n"), @r"
    12 line 12, ABSCHNITT: ABSCHNITT 1 is defined in line 11 already
    13 line 13, WETTKAMPF: Ausübung is `KB`, which format 7 does not know
    14 line 14, WETTKAMPF: Wettkampfart is `Q`, but must be one of V, Z, F, E
    15 line 15, WETTKAMPF: the file has no ABSCHNITT 9 for it
    16 Testfest 2026-03-15|4|E
    17 line 17, WETTKAMPF: event 4 E is defined in line 16 already
    18 line 18, WETTKAMPF: it has 7 attributes, but 11 are needed; an attribute without a value keeps its `;`
    19 line 19, WETTKAMPF: Einzelstrecke is `5O`, but must be a whole number from 0 to 25000
    21 line 21, WERTUNG: WertungsID 1 stands in line 20 already
    22 line 22, MELDEGELD: Betrag is `5.00`, but must be an amount such as 5,50
    23 line 23, MELDEGELD: Meldegeldtyp has no value, but needs one
    24 line 24, LASTSCHRIFT: format 7 of the meet definition list has no such element
    25 line 25, BESONDERES: the remark that begins with `(*` is not closed; close it with `*)` on the same line
    26 line 26: the line is no element; an element is written like `WETTKAMPF:1;V;…;`
    27 line 27, ERZEUGER: the element may stand once only, and stands in line 3 already
    29 line 29, WETTKAMPF: it stands behind DATEIENDE, which ends the list
    ");
}

#[test]
fn what_refers_to_nothing_is_told_and_refuses_nothing() {
    let lines = "BANKVERBINDUNG:a;b;c;d;\nWETTKAMPF:5;E;1;;50;S;GL;W;SW;;;\n\
         WERTUNG:5;F;7;JG;0;9999;;Offen;";
    let list7 = parse(&list(7, lines));
    assert_eq!(rows(&list7), ["13 Testfest 2026-03-15|5|E"]);
    assert_eq!(
        warnings(&list7),
        [
            "DSV: a line is about an event that the list does not have; it is not imported (1, first \
             in row 14: `WERTUNG:5;F;7;JG;0;9999;;Offen;`)",
            "DSV: a line has more attributes than the format knows; the others are imported (1, first \
             in row 12: `BANKVERBINDUNG:a;b;c;d;`)"
        ]
    );
    assert_eq!(
        warnings(&parse(&list(8, lines))).len(),
        1,
        "format 8 has the holder of the account"
    );
}

#[test]
fn only_the_events_that_are_wanted_are_rows() {
    let text = list(
        8,
        "WETTKAMPF:1;E;1;;50;S;KB;D;SW;;;\nWETTKAMPF:2;E;1;;50;S;GL;W;SW;;;\n\
         WETTKAMPF:3;Q;1;;50;S;GL;W;SW;;;\nWERTUNG:3;E;x;JG;0;9999;;Offen;",
    );
    let taken = |include: &[u32], exclude: &[u32]| {
        let options = Options {
            meeting: Some("m".to_owned()),
            include_events: include.to_vec(),
            exclude_events: exclude.to_vec(),
            ..Options::default()
        };
        let list = MeetList::parse(&text, MeetChoice::Asked(&options)).unwrap();
        let again = MeetList::parse(&text, MeetChoice::Decided(&list.selection)).unwrap();
        assert_eq!(list, again, "what was decided decides alike");
        (rows(&list), warnings(&list))
    };
    let (events, warnings) = taken(&[], &[3, 77]);
    assert_eq!(events, ["12 m|1|E", "13 m|2|E"]);
    assert_eq!(
        warnings,
        ["DSV: an event that the upload includes or excludes is not in the list (1: `77`)"]
    );
    assert_eq!(taken(&[2], &[]).0, ["13 m|2|E"]);
    assert_eq!(taken(&[1, 2], &[2]).0, ["12 m|1|E"]);
}

#[test]
fn a_list_that_is_none_is_refused_with_its_line() {
    let whole = list(7, "WETTKAMPF:1;E;1;;50;S;GL;W;SW;;;");
    let refused = |text: &str| {
        MeetList::parse(text, MeetChoice::Asked(&Options::default())).unwrap_err().to_string()
    };
    let faults = [
        refused(""),
        refused("sku,name\n"),
        refused("\nFORMAT:Wettkampfergebnisliste;7;\n"),
        refused("FORMAT:wettkampfdefinitionsliste;9;\n"),
        refused(&whole.replace("DATEIENDE", "")),
        refused(&whole.replace("MELDESCHLUSS", "(* MELDESCHLUSS *)")),
        refused(&whole.replace("WETTKAMPF:1", "WERTUNG:1")),
        refused(&[whole.as_str(), &whole].concat()),
    ];
    insta::assert_snapshot!(faults.join("\n"), @r"
    line 1: the first element must be FORMAT, such as `FORMAT:Wettkampfdefinitionsliste;7;`
    line 1: the first element must be FORMAT, such as `FORMAT:Wettkampfdefinitionsliste;7;`
    line 2, FORMAT: the list is a `Wettkampfergebnisliste`; the server reads the Wettkampfdefinitionsliste, which a meeting sends out before it takes place
    line 1, FORMAT: the version is `9`; the server reads the formats 6 to 8
    line 12: the file ends without DATEIENDE, so a part of it may be missing; send the whole file
    line 13: the list ends without MELDESCHLUSS; every meet definition list has it
    line 13: the list ends without WETTKAMPF; every meet definition list has it
    line 15, FORMAT: a second list begins here; send each list in a file of its own
    ");
}
