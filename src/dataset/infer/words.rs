//! Names for columns, and the headers that people give them: those of the built-in datasets, and of
//! partners and addresses, in English, German, French, Spanish, Italian and Portuguese.

use super::{Proposal, ProposedColumn};
use crate::dataset::datasets::{BuiltIn, Datasets};
use crate::dataset::header::normal_form;

/// One meaning a line; the first words are English.
const MEANINGS: [&[&str]; 20] = [
    &[
        "supplier",
        "vendor",
        "supplier name",
        "lieferant",
        "fournisseur",
        "proveedor",
        "fornitore",
        "fornecedor",
    ],
    &["customer", "client", "customer name", "kunde", "kundenname", "cliente"],
    &[
        "company",
        "company name",
        "firma",
        "unternehmen",
        "société",
        "entreprise",
        "empresa",
        "azienda",
    ],
    &[
        "contact",
        "contact name",
        "contact person",
        "ansprechpartner",
        "kontaktperson",
        "persona de contacto",
        "referente",
        "pessoa de contato",
    ],
    &[
        "first name",
        "given name",
        "vorname",
        "prénom",
        "nombre de pila",
        "nome proprio",
        "primeiro nome",
    ],
    &[
        "last name",
        "surname",
        "family name",
        "nachname",
        "nom de famille",
        "apellido",
        "apellidos",
        "cognome",
        "sobrenome",
        "apelido",
    ],
    &[
        "email",
        "e mail address",
        "email address",
        "mail",
        "e-mail-adresse",
        "courriel",
        "adresse e-mail",
        "correo electrónico",
        "correo",
        "indirizzo email",
        "endereço de email",
    ],
    &[
        "phone",
        "telephone",
        "phone number",
        "tel",
        "mobile",
        "telefon",
        "telefonnummer",
        "téléphone",
        "teléfono",
        "telefono",
        "telefone",
    ],
    &["street", "street address", "straße", "strasse", "rue", "calle", "via", "rua"],
    &["address", "adresse", "anschrift", "dirección", "indirizzo", "endereço", "morada"],
    &["city", "town", "ort", "stadt", "ville", "ciudad", "città", "cidade"],
    &[
        "postcode",
        "postal code",
        "zip",
        "zip code",
        "plz",
        "postleitzahl",
        "code postal",
        "código postal",
        "cap",
        "codice postale",
    ],
    &["region", "province", "bundesland", "région", "región", "provincia", "regione"],
    &["country", "land", "pays", "país", "paese"],
    &[
        "quantity",
        "qty",
        "pieces",
        "menge",
        "anzahl",
        "stück",
        "quantité",
        "cantidad",
        "quantità",
        "quantidade",
    ],
    &["weight", "gewicht", "poids", "peso"],
    &["colour", "color", "farbe", "couleur", "colore", "cor"],
    &["currency", "währung", "devise", "monnaie", "moneda", "divisa", "valuta", "moeda"],
    &[
        "notes",
        "note",
        "remarks",
        "comment",
        "bemerkung",
        "bemerkungen",
        "notiz",
        "remarque",
        "commentaire",
        "observaciones",
        "osservazioni",
        "observações",
    ],
    &["date", "datum", "fecha", "data"],
];

/// The name in the API for a name of a database or a header: `UnitPrice` → `unit_price`.
pub(super) fn word(text: &str) -> String {
    let mut word = String::new();
    let mut was_small = false;
    for letter in text.chars() {
        let is_capital = letter.is_uppercase();
        if is_capital && was_small {
            word.push('_');
        }
        was_small = letter.is_lowercase() || letter.is_ascii_digit();
        match plain(letter) {
            Some(plain) => word.push_str(plain),
            None if letter.is_ascii_alphanumeric() => word.push(letter.to_ascii_lowercase()),
            None if !word.ends_with('_') => word.push('_'),
            None => {}
        }
    }
    let word: String = word.trim_matches('_').chars().take(60).collect();
    match word.chars().next() {
        None => "column".to_owned(),
        Some(first) if first.is_ascii_lowercase() => word,
        Some(_) => format!("c_{word}"),
    }
}

/// Letters of the six languages as ASCII writes them.
fn plain(letter: char) -> Option<&'static str> {
    let small = letter.to_lowercase().next().unwrap_or(letter);
    Some(match small {
        'ä' => "ae",
        'ö' => "oe",
        'ü' => "ue",
        'ß' => "ss",
        'à' | 'á' | 'â' | 'ã' => "a",
        'é' | 'è' | 'ê' | 'ë' => "e",
        'í' | 'ì' | 'î' | 'ï' => "i",
        'ó' | 'ò' | 'ô' | 'õ' => "o",
        'ú' | 'ù' | 'û' => "u",
        'ç' => "c",
        'ñ' => "n",
        _ => return None,
    })
}

/// Words that a header may be instead of another one.
struct Meaning {
    aliases: Vec<String>,
    fallbacks: Vec<String>,
    /// As headers are compared, the most telling first.
    forms: Vec<String>,
}

impl Meaning {
    fn new(names: Vec<String>, aliases: Vec<String>, fallbacks: Vec<String>) -> Self {
        let all = names.iter().chain(&aliases).chain(&fallbacks);
        let forms = all.map(|text| normal_form(text)).collect();
        let aliases = names.into_iter().chain(aliases).collect();
        Self { aliases, fallbacks, forms }
    }
}

fn meanings() -> Vec<Meaning> {
    let mut meanings = Vec::new();
    // They compile: tests say so. Without them a proposal has fewer aliases.
    let built_in = Datasets::load::<&str, &str>(&BuiltIn::All, []).unwrap_or_default();
    if let Some(products) = built_in.get("products") {
        for column in &products.columns {
            meanings.push(Meaning::new(
                vec![column.name.clone()],
                column.aliases.clone(),
                column.fallback_aliases.clone(),
            ));
        }
    }
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    for words in MEANINGS {
        let (english, rest) = words.split_at(1);
        meanings.push(Meaning::new(owned(english), owned(rest), Vec::new()));
    }
    meanings
}

/// Gives the columns the aliases of their meaning. No two columns get the same header, and each
/// meaning goes to one column: that which it fits best.
pub(super) fn add_aliases(proposal: &mut Proposal, singular: &str) {
    let mut taken: Vec<String> = Vec::new();
    for column in &proposal.columns {
        taken.push(normal_form(&column.name));
        taken.push(normal_form(&column.title));
        taken.extend(column.aliases.iter().map(|alias| normal_form(alias)));
    }
    let prefix = normal_form(singular);
    for meaning in meanings() {
        let place = |column: &ProposedColumn| {
            let form = normal_form(&column.name);
            let place = meaning.forms.iter().position(|known| *known == form);
            place.or_else(|| {
                let rest = form.strip_prefix(prefix.as_str()).filter(|_| !prefix.is_empty())?;
                meaning.forms.iter().position(|known| known == rest).map(|at| at + 1_000)
            })
        };
        let fits = proposal.columns.iter().enumerate();
        let best = fits.filter_map(|(at, column)| Some((place(column)?, at))).min();
        let Some(column) = best.and_then(|(_, at)| proposal.columns.get_mut(at)) else { continue };
        let mut free = |words: &[String]| {
            let mut free = Vec::new();
            for word in words {
                let form = normal_form(word);
                if !form.is_empty() && !taken.contains(&form) {
                    taken.push(form);
                    free.push(word.replace('_', " "));
                }
            }
            free
        };
        let aliases = free(&meaning.aliases);
        let fallbacks = free(&meaning.fallbacks);
        column.aliases.extend(aliases);
        column.fallback_aliases.extend(fallbacks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_words() {
        for (text, expected) in [
            ("UnitPrice", "unit_price"),
            ("unit_price", "unit_price"),
            ("Unit Price", "unit_price"),
            ("Größe", "groesse"),
            ("Prix d'achat (€)", "prix_d_achat"),
            ("SKU", "sku"),
            ("c", "c"),
            ("2nd", "c_2nd"),
            ("№", "column"),
            ("ProductID", "product_id"),
        ] {
            assert_eq!(word(text), expected, "{text}");
        }
    }

    #[test]
    fn every_header_leads_to_one_column() {
        let column = |name: &str| ProposedColumn { name: name.to_owned(), ..Default::default() };
        let mut proposal = Proposal {
            columns: vec![column("item_no"), column("price"), column("unit_price"), column("ean")],
            ..Proposal::default()
        };
        add_aliases(&mut proposal, "article");
        let [number, price, unit, ean] = proposal.columns.as_slice() else { panic!("four") };
        assert!(number.aliases.contains(&"article number".to_owned()), "{number:?}");
        assert!(price.fallback_aliases.contains(&"precio".to_owned()), "{price:?}");
        assert!(unit.aliases.is_empty(), "{unit:?}");
        assert!(ean.aliases.contains(&"barcode".to_owned()), "{ean:?}");
    }
}
