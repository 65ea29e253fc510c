//! The products of the benchmark: product `i` is the same in every run and on every machine.
//! Knows nothing of files or databases.

use std::fmt::Write as _;

/// The header of the files: 12 of the template's columns.
pub(crate) const HEADER: [&str; 12] = [
    "SKU",
    "Name",
    "Category",
    "Brand",
    "Potency",
    "Form",
    "Description",
    "UOM",
    "Selling Price",
    "Current Stock",
    "Barcode",
    "Is Active",
];

const CATEGORIES: u64 = 40;
const BRANDS: u64 = 60;
const POTENCIES: u64 = 30;
const FORMS: u64 = 12;

const PLANTS: [&str; 16] = [
    "Arnica Montana",
    "Atropa Belladonna",
    "Bryonia Alba",
    "Calendula Officinalis",
    "Carbo Vegetabilis",
    "Gelsemium Sempervirens",
    "Hypericum Perforatum",
    "Ignatia Amara",
    "Kalium Bichromicum",
    "Lycopodium Clavatum",
    "Natrum Muriaticum",
    "Nux Vomica",
    "Pulsatilla Pratensis",
    "Rhus Toxicodendron",
    "Thuja Occidentalis",
    "Veratrum Album",
];

const SENTENCES: [&str; 6] = [
    "Made by the classical method in small batches and bottled under nitrogen",
    "Keep tightly closed in a cool and dry place away from strong smells",
    "Contains a base of purified water and grain alcohol at ninety percent",
    "For professional use only and not for children below the age of six",
    "Sold by weight in amber glass with a dropper and a tamper proof cap",
    "Batch and expiry are printed on the side of the carton beneath the bar code",
];

/// One row of a file, before any quoting.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Product {
    pub(crate) sku: String,
    pub(crate) name: String,
    pub(crate) category: String,
    pub(crate) brand: String,
    pub(crate) potency: String,
    pub(crate) form: String,
    pub(crate) description: String,
    pub(crate) uom: &'static str,
    /// In hundredths.
    pub(crate) selling_price: u64,
    pub(crate) current_stock: u64,
    pub(crate) barcode: String,
    pub(crate) is_active: bool,
}

/// What an update file changes of a product that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Nothing,
    Price,
    Stock,
}

/// Mixes all bits of a number (the finalizer of `SplitMix64`, Steele et al. 2014).
fn mix(seed: u64) -> u64 {
    let x = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Scatters numbers of 32 bits, each to another one, so that keys come in no order.
fn scatter(index: u32) -> u32 {
    let x = (index ^ (index >> 16)).wrapping_mul(0x85eb_ca6b);
    let x = (x ^ (x >> 13)).wrapping_mul(0xc2b2_ae35);
    x ^ (x >> 16)
}

/// An item of a list, chosen by a number.
fn choose(list: &'static [&'static str], number: u64) -> &'static str {
    let place = usize::try_from(number % list.len() as u64).unwrap_or_default();
    list.get(place).copied().unwrap_or_default()
}

impl Product {
    /// Fills in product `index` as the fresh file has it, then the change.
    pub(crate) fn fill(&mut self, index: u32, change: Change) {
        let random = mix(u64::from(index));
        let part = |shift: u32, below: u64| (random >> shift) % below;
        let kind = part(0, 100);
        for text in [
            &mut self.sku,
            &mut self.name,
            &mut self.category,
            &mut self.brand,
            &mut self.potency,
            &mut self.form,
            &mut self.description,
            &mut self.barcode,
        ] {
            text.clear();
        }
        let plant = choose(&PLANTS, random >> 8);
        let _ = write!(self.sku, "HP-{:010}", scatter(index));
        let _ = write!(self.name, "{plant} No. {}", part(12, 100_000));
        let _ = write!(self.category, "Category {:02}", part(16, CATEGORIES));
        let _ = write!(self.brand, "Brand {:02} Labs", part(22, BRANDS));
        let _ = write!(self.potency, "{}C", 6 * (part(28, POTENCIES) + 1));
        let _ = write!(self.form, "Form {:02} Drops", part(33, FORMS));
        let _ = write!(self.barcode, "29{:011}", mix(random) % 100_000_000_000);
        let sentence = choose(&SENTENCES, random >> 40);
        // Of 100 products 10 hold commas, 5 a line break, 5 other than ASCII, 5 no description.
        match kind {
            0..10 => self.description.extend(["Dilution, ", sentence, ", sealed"]),
            10..15 => self.description.extend(["Dilution\n", sentence]),
            15..20 => self.description.extend(["Verdünnung – ", sentence]),
            20..25 => {}
            _ => self.description.push_str(sentence),
        }
        self.uom = choose(&["Bottle", "Vial", "Tube", "Box"], random >> 44);
        self.selling_price = 500 + part(20, 250_000);
        self.current_stock = part(30, 2_000);
        self.is_active = part(50, 20) != 0;
        match change {
            Change::Nothing => {}
            Change::Price => self.selling_price += 125,
            Change::Stock => self.current_stock += 7,
        }
    }

    /// The price as it is written: `12.50`.
    pub(crate) fn price_text(&self) -> String {
        format!("{}.{:02}", self.selling_price / 100, self.selling_price % 100)
    }

    /// `yes` or `no`.
    pub(crate) fn active_text(&self) -> &'static str {
        if self.is_active { "yes" } else { "no" }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn product(index: u32, change: Change) -> Product {
        let mut product = Product::default();
        product.fill(index, change);
        product
    }

    #[test]
    fn a_product_is_always_the_same_and_has_a_key_of_its_own() {
        assert_eq!(product(7, Change::Nothing), product(7, Change::Nothing));
        let keys: HashSet<_> = (0..50_000).map(|i| product(i, Change::Nothing).sku).collect();
        assert_eq!(keys.len(), 50_000);
    }

    #[test]
    fn a_change_touches_one_value() {
        let before = product(9, Change::Nothing);
        let price = product(9, Change::Price);
        assert_eq!(price.selling_price, before.selling_price + 125);
        assert_eq!(Product { selling_price: before.selling_price, ..price }, before);
        let stock = product(9, Change::Stock);
        assert_eq!(Product { current_stock: before.current_stock, ..stock }, before);
    }

    #[test]
    fn all_references_come_up() {
        let all: Vec<_> = (0..20_000).map(|i| product(i, Change::Nothing)).collect();
        let count = |of: fn(&Product) -> &String| all.iter().map(of).collect::<HashSet<_>>().len();
        let counts = [
            count(|p| &p.category),
            count(|p| &p.brand),
            count(|p| &p.potency),
            count(|p| &p.form),
        ];
        assert_eq!(counts, [40, 60, 30, 12]);
    }
}
