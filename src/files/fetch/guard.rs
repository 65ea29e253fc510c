//! Which addresses of machines may be asked: public ones, and those that a setting lists. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::domain::networks::Networks;

/// Networks of IPv4 that are not public (IANA's registry of special addresses), and the address at
/// which one cloud answers its own machines although it looks public.
const SPECIAL: [(Ipv4Addr, u32); 17] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 31, 196, 0), 24),
    (Ipv4Addr::new(192, 52, 193, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast and everything above it.
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// Where clouds answer their own machines with credentials. No setting opens these.
const METADATA: [IpAddr; 6] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];

/// True when this address may be asked.
pub(super) fn may_ask(address: IpAddr, listed: &Networks) -> bool {
    let address = carried(address);
    !METADATA.contains(&address) && (is_public(address) || listed.has(address))
}

/// The IPv4 address to which an IPv6 address leads: mapped (`::ffff:127.0.0.1`), compatible
/// (`::127.0.0.1`), translated (`64:ff9b::7f00:1`) or tunnelled (`2002:7f00:1::`).
fn carried(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else { return address };
    let last = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match six.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0..=1] => address,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => last(high, low),
        _ => address,
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => !SPECIAL.iter().any(|(network, bits)| {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(u32::MAX);
            four.to_bits() & mask == network.to_bits()
        }),
        // What is public lies in 2000::/3; of that, protocols (with Teredo), documentation and the
        // retired test network are not.
        IpAddr::V6(six) => match six.segments() {
            [0x2001, second, ..] => second > 0x1ff && second != 0xdb8,
            [0x3ffe, ..] => false,
            [0x3fff, second, ..] => second > 0xfff,
            [first, ..] => first & 0xe000 == 0x2000,
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn may(text: &str) -> bool {
        may_ask(text.parse().unwrap(), &Networks::default())
    }

    #[test]
    fn what_only_this_machine_reaches_is_closed() {
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "100.100.100.200",
            "168.63.129.16",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::8.8.8.8",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "5f00::1",
        ] {
            assert!(!may(text), "{text}");
        }
        for text in [
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "192.0.1.1",
            "1.1.1.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
            "2001:4860:4860::8888",
        ] {
            assert!(may(text), "{text}");
        }
    }

    #[test]
    fn a_setting_opens_networks_but_never_the_credentials_of_a_cloud() {
        let listed = Networks::parse("10.0.0.0/8,127.0.0.1,0.0.0.0/0,::/0").unwrap();
        for text in ["10.1.2.3", "127.0.0.1", "::ffff:10.0.0.1", "::1", "fd00::1"] {
            assert!(may_ask(text.parse().unwrap(), &listed), "{text}");
        }
        for text in ["169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"] {
            assert!(!may_ask(text.parse().unwrap(), &listed), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_form_of_a_private_address_passes(low in 0_u32.., form in 0_u8..4) {
            let private = Ipv4Addr::from_bits(low & 0x00ff_ffff | 0x0a00_0000);
            let [a, b, c, d] = private.octets();
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            let address = match form {
                0 => Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, high, low),
                1 => Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
                2 => Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                _ => Ipv6Addr::new(0x2002, high, low, 7, 7, 7, 7, 7),
            };
            prop_assert!(!may_ask(IpAddr::V6(address), &Networks::default()));
            prop_assert!(!may_ask(IpAddr::V4(private), &Networks::default()));
        }
    }
}
