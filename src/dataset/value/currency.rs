//! Numbers with a currency or a unit beside them: what the option `currency=strip` takes off.
//!
//! Only signs and words of these lists are taken off, so that what changes a number (`5 dozen`,
//! `3k`, `50 ct`, `1.5 kg` beside `500 g`) stays an error.

/// Signs that stand alone or with up to three letters: `€`, `A$`, `NT$`.
const SIGNS: &str = "$£¥֏؋৲৳૱௹฿៛﷼＄￡￥￦円元圆圓원";

/// Codes of ISO 4217 that money is counted in.
const CODES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL \
    BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD \
    FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES \
    KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR \
    MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RMB RON RSD RUB RWF \
    SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS \
    UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG";

/// Other words for money, in lower case and without the point at the end.
const MONEY: &str = "rs re fr sfr kr kc kč zl zł ft lei лв руб р din kn tl dh ksh tsh ush euro euros \
    dollar dollars pound pounds rupee rupees yen yuan";

/// Words for pieces, in lower case and without the point at the end: to count them changes nothing.
const PIECES: &str = "pc pcs pce pces piece pieces unit units nos ea each st stk stck stück stueck \
    stuks pz pza pzas pezzo pezzi pièce pièces un und unid unds ud uds unidad unidades unidade szt шт \
    ks db kom adet 個 个 件";

/// The number of `text` alone, in a form that is read like any other; `None` when what stands beside
/// it is no currency and no unit.
pub(in crate::dataset) fn strip(text: &str) -> Option<String> {
    let (text, in_brackets) = match text.strip_prefix('(').and_then(|it| it.strip_suffix(')')) {
        Some(inner) => (inner.trim(), true),
        None => (text, false),
    };
    let first = text.find(|c: char| c.is_ascii_digit())?;
    let end = text.rfind(|c: char| c.is_ascii_digit())? + 1;
    let (before, number, after) = (text.get(..first)?, text.get(first..end)?, text.get(end..)?);
    // In `$.50` the point belongs to the number, in `Rs.50` to the word.
    let (before, point) = match before.strip_suffix('.') {
        Some(rest) if !rest.ends_with(char::is_alphabetic) => (rest, "."),
        _ => (before, ""),
    };
    let (before, is_negative) = sign_of(before.trim());
    let (after, is_negative_behind) = behind(after);
    if u8::from(in_brackets) + u8::from(is_negative) + u8::from(is_negative_behind) > 1 {
        return None;
    }
    let (before, after) = (before.trim(), after.trim());
    if !(before.is_empty() || is_money(before)) {
        return None;
    }
    if !(after.is_empty() || is_money(after) || is_of(PIECES, after)) {
        return None;
    }
    let sign = if in_brackets || is_negative || is_negative_behind { "-" } else { "" };
    Some(format!("{sign}{point}{number}"))
}

/// What stands before a number without the minus sign, and whether there was one: `-$`, `$ -`.
fn sign_of(before: &str) -> (&str, bool) {
    const MINUS: [char; 2] = ['-', '\u{2212}'];
    match before.strip_prefix(MINUS).or_else(|| before.strip_suffix(MINUS)) {
        Some(rest) => (rest, true),
        None => (before.strip_prefix('+').unwrap_or(before), false),
    }
}

/// What stands after a number without signs for no cents (`5.–`, `5,--`, `120/-`, `120/=`) and
/// without the minus sign, and whether there was one (`5.00-`).
fn behind(after: &str) -> (&str, bool) {
    const DASHES: [char; 5] = ['-', '\u{2013}', '\u{2014}', '\u{2212}', '='];
    if let Some(rest) = after.strip_prefix(['.', ',', '/'])
        && rest.starts_with(DASHES)
    {
        return (rest.trim_start_matches(DASHES), false);
    }
    match after.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (rest, true),
        None => (after, false),
    }
}

/// True for a sign, a code or another word of money.
fn is_money(word: &str) -> bool {
    is_sign(word)
        || CODES.split_ascii_whitespace().any(|code| code.eq_ignore_ascii_case(word))
        || is_of(MONEY, word)
}

fn is_sign(word: &str) -> bool {
    let is_one = |c: char| matches!(c, '\u{20a0}'..='\u{20c0}') || SIGNS.contains(c);
    let letters = word.trim_matches(is_one);
    let signs = word.chars().filter(|c| is_one(*c)).count();
    let letters = letters.trim();
    signs == 1 && letters.len() <= 3 && letters.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn is_of(words: &str, word: &str) -> bool {
    let lower = word.strip_suffix('.').unwrap_or(word).to_lowercase();
    !lower.is_empty() && words.split_whitespace().any(|known| known == lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_or_a_unit_is_taken_off() {
        for (text, number) in [
            ("$4.99", "4.99"),
            ("$1,234.50", "1,234.50"),
            ("€ 12.50", "12.50"),
            ("12,50 €", "12,50"),
            ("12.50 EUR", "12.50"),
            ("usd\u{a0}5", "5"),
            ("₹ 1,23,456.00", "1,23,456.00"),
            ("Rs. 120.00", "120.00"),
            ("Rs.120", "120"),
            ("Rs 120/-", "120"),
            ("120/-", "120"),
            ("120/=", "120"),
            ("GBP 5.00", "5.00"),
            ("A$5.00", "5.00"),
            ("5 US$", "5"),
            ("US $5", "5"),
            ("$.50", ".50"),
            ("1200円", "1200"),
            ("CHF 5.\u{2013}", "5"),
            ("5,-- kr", "5"),
            ("5.00 Fr.", "5.00"),
            ("1 234,50 Kč", "1 234,50"),
            ("-$5.00", "-5.00"),
            ("$-5.00", "-5.00"),
            ("5.00-", "-5.00"),
            ("($5.00)", "-5.00"),
            ("\u{2212}5 €", "-5"),
            ("5 pcs", "5"),
            ("5 Stk.", "5"),
            ("10 Stück", "10"),
        ] {
            assert_eq!(strip(text).as_deref(), Some(number), "{text}");
        }
    }

    #[test]
    fn what_may_change_the_number_is_not_taken_off() {
        for text in [
            "$",
            "free",
            "",
            "5 dozen",
            "3k",
            "1.2M",
            "50 ct",
            "50¢",
            "5%",
            "1.5 kg",
            "500 g",
            "2 packs",
            "$5 each way",
            "$$5",
            "--5",
            "-$5-",
            "(-5)",
            "€ 5 per kg",
            "5.",
            "5..",
            "approx 5",
            "5 or so",
            "pcs 5",
        ] {
            assert_eq!(strip(text), None, "{text}");
        }
        // What is left is read as any number is, and fails as such.
        assert_eq!(strip("$12.5.1").as_deref(), Some("12.5.1"));
        assert_eq!(strip("$5 $6").as_deref(), Some("5 $6"));
    }
}
