use std::cmp::Ordering;

/// Orders two versions as Maven does where it resolves ranges.
///
/// The order is that of `GenericVersionScheme` of maven-resolver 2 (measured against 2.0.11), taken over the text cut
/// at the first `+`, so that build metadata never counts. Any text is a version, the empty one too (it is `0`).
///
/// - `.`, `-`, `_` and every change between ASCII digits and anything else separate segments, all alike.
/// - Numbers compare by value, whatever their length; words without regard to case.
/// - `alpha` < `beta` < `milestone` < `rc` = `cr` < `snapshot` < `final` = `ga` = `release` < `sp` < any other word.
///   Directly before a digit `a`, `b` and `m` are short for the first three.
/// - `min` and `max`, as the last segment, are less and greater than anything that could stand there.
/// - Trailing zeros and `ga`s of every stretch of numbers or words mean nothing.
/// - Where a number meets a word, the shorter stretch is padded with `0` or `ga`; as the first segment, a word is less
///   than a number.
///
/// It is a total preorder: total, reflexive, transitive, and different texts may be equal in it. Nothing is allocated
/// and the time is linear in the length of the texts.
///
/// Outside ASCII every character is a letter (`٣` is no digit), compared by code point after Unicode's one-to-one case
/// mappings, as `String.compareToIgnoreCase` of Java 17 does. Letters that Unicode got after version 13, the one that
/// Java knows, may have a case here that they lack there.
///
/// # Examples
///
/// ```
/// use std::cmp::Ordering::{Equal, Greater, Less};
/// use mortise::model::version::compare;
///
/// assert_eq!(compare("1.9", "1.10"), Less);
/// assert_eq!(compare("2.0-SNAPSHOT", "2.0"), Less);
/// assert_eq!(compare("1.0-rc1", "1.0-M3"), Greater);
/// assert_eq!(compare("1.2", "1.2.0.RELEASE"), Equal);
/// assert_eq!(compare("1.0+linux", "1+darwin"), Equal);
/// ```
pub fn compare(left: &str, right: &str) -> Ordering {
    if left == right {
        return Ordering::Equal;
    }
    let (mut these, mut those) = (Segments::of(left), Segments::of(right));
    let mut previous = None;
    loop {
        let (this, that) = match (these.next(), those.next()) {
            (None, None) => return Ordering::Equal,
            (Some(this), None) => return against_padding(this, these, None),
            (None, Some(that)) => return against_padding(that, those, None).reverse(),
            (Some(this), Some(that)) => (this, that),
        };
        if this.sort() != that.sort() {
            return match previous {
                None => this.compare(that),
                Some(sort) if sort == this.sort() => against_padding(this, these, previous),
                Some(_) => against_padding(that, those, previous).reverse(),
            };
        }
        let order = this.compare(that);
        if order.is_ne() {
            return order;
        }
        previous = Some(this.sort());
    }
}

/// How `first` and what follows it stand to nothing but padding; only segments of the `sort` count, if one is given.
fn against_padding<'a>(first: Segment<'a>, rest: Segments<'a>, sort: Option<Sort>) -> Ordering {
    std::iter::once(first)
        .chain(rest)
        .filter(|segment| sort.is_none_or(|sort| sort == segment.sort()))
        .map(Segment::against_padding)
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// What the algorithm tells apart when it pads: `min` and `max` count as numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Number,
    Word,
}

#[derive(Clone, Copy)]
enum Segment<'a> {
    Min,
    /// Below zero what comes before a release, zero the release, above zero what follows it.
    Qualifier(i8),
    Word(&'a str),
    /// Digits without leading zeros, so zero is the empty text.
    Number(&'a str),
    Max,
}

/// Words with a rank of their own, lower case.
const QUALIFIERS: [(&str, i8); 10] = [
    ("snapshot", -1),
    ("rc", -2),
    ("release", 0),
    ("final", 0),
    ("alpha", -5),
    ("beta", -4),
    ("milestone", -3),
    ("cr", -2),
    ("ga", 0),
    ("sp", 1),
];

impl<'a> Segment<'a> {
    fn word(text: &'a str, is_last: bool, before_digit: bool) -> Self {
        if is_last && is_spelled(text, "min") {
            return Self::Min;
        }
        if is_last && is_spelled(text, "max") {
            return Self::Max;
        }
        match text {
            "a" | "A" if before_digit => return Self::Qualifier(-5),
            "b" | "B" if before_digit => return Self::Qualifier(-4),
            "m" | "M" if before_digit => return Self::Qualifier(-3),
            _ => {}
        }
        match QUALIFIERS.iter().find(|(name, _)| is_spelled(text, name)) {
            Some((_, rank)) => Self::Qualifier(*rank),
            None => Self::Word(text),
        }
    }

    fn sort(self) -> Sort {
        match self {
            Self::Min | Self::Number(_) | Self::Max => Sort::Number,
            Self::Qualifier(_) | Self::Word(_) => Sort::Word,
        }
    }

    fn against_padding(self) -> Ordering {
        match self {
            Self::Min => Ordering::Less,
            Self::Qualifier(rank) => rank.cmp(&0),
            Self::Number("") => Ordering::Equal,
            Self::Word(_) | Self::Number(_) | Self::Max => Ordering::Greater,
        }
    }

    fn is_padding(self) -> bool {
        self.against_padding().is_eq()
    }

    fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Qualifier(this), Self::Qualifier(that)) => this.cmp(&that),
            (Self::Word(this), Self::Word(that)) => compare_words(this, that),
            (Self::Number(this), Self::Number(that)) => this.len().cmp(&that.len()).then_with(|| this.cmp(that)),
            _ => self.class().cmp(&other.class()),
        }
    }

    fn class(self) -> u8 {
        match self {
            Self::Min => 0,
            Self::Qualifier(_) => 1,
            Self::Word(_) => 2,
            Self::Number(_) => 3,
            Self::Max => 4,
        }
    }
}

fn is_spelled(text: &str, name: &str) -> bool {
    text.eq_ignore_ascii_case(name) || (!text.is_ascii() && text.chars().map(folded).eq(name.chars()))
}

fn compare_words(this: &str, that: &str) -> Ordering {
    if this.is_ascii() && that.is_ascii() {
        let lower = |byte: u8| byte.to_ascii_lowercase();
        return this.bytes().map(lower).cmp(that.bytes().map(lower));
    }
    // Lowered first, as maven-resolver does: it makes `İ` two characters here, though in `is_spelled` it is an `i`.
    let letters = |word| str::chars(word).flat_map(char::to_lowercase).map(folded);
    letters(this).cmp(letters(that))
}

/// The case folding of Java's `compareToIgnoreCase`: up, then down, one character to one.
fn folded(letter: char) -> char {
    let mut upper = letter.to_uppercase();
    let upper = if upper.len() == 1 { upper.next() } else { None };
    upper.unwrap_or(letter).to_lowercase().next().unwrap_or(letter)
}

/// The segments as written, one after the other.
#[derive(Clone, Copy)]
struct Written<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Written<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        let rest = &self.text.as_bytes()[self.at..];
        let digits = rest.first()?.is_ascii_digit();
        let ends = |byte: &u8| matches!(byte, b'.' | b'-' | b'_') || byte.is_ascii_digit() != digits;
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        let segment = &self.text[self.at..self.at + length];
        let follows = rest.get(length);
        let before_digit = follows.is_some_and(u8::is_ascii_digit);
        let separated = matches!(follows, Some(b'.' | b'-' | b'_'));
        self.at += length + usize::from(separated);
        // Nothing between two separators is a zero.
        if digits || segment.is_empty() {
            return Some(Segment::Number(segment.trim_start_matches('0')));
        }
        Some(Segment::word(segment, self.at == self.text.len(), before_digit))
    }
}

/// The segments that count: padding at the end of the version, and at the end of each stretch of numbers or of words
/// (but for the first of a stretch), is left out, and the very first segment always kept.
struct Segments<'a> {
    written: Written<'a>,
    previous: Option<Sort>,
    /// Padding already read that a number or word of the same stretch makes count.
    owed: (usize, Segment<'a>),
    /// Where the furthest segment begins that is known not to be padding; it keeps the look ahead linear.
    solid_at: usize,
}

impl<'a> Segments<'a> {
    fn of(version: &'a str) -> Self {
        let text = version.split_once('+').map_or(version, |(before, _)| before);
        let text = if text.is_empty() { "0" } else { text };
        Self { written: Written { text, at: 0 }, previous: None, owed: (0, Segment::Number("")), solid_at: 0 }
    }

    fn only_padding_follows(&mut self) -> bool {
        if self.written.at <= self.solid_at {
            return false;
        }
        let mut ahead = self.written;
        loop {
            let at = ahead.at;
            match ahead.next() {
                None => return true,
                Some(segment) if segment.is_padding() => {}
                Some(_) => {
                    self.solid_at = at;
                    return false;
                }
            }
        }
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        if self.owed.0 > 0 {
            self.owed.0 -= 1;
            return Some(self.owed.1);
        }
        let segment = self.written.next()?;
        let previous = self.previous.replace(segment.sort());
        if previous.is_none() || !segment.is_padding() {
            return Some(segment);
        }
        let mut padding = 0;
        loop {
            let mut ahead = self.written;
            match ahead.next() {
                Some(next) if next.sort() != segment.sort() => break,
                Some(next) if next.is_padding() => padding += 1,
                Some(_) => {
                    self.owed = (padding, segment);
                    return Some(segment);
                }
                None => return None,
            }
            self.written = ahead;
        }
        if self.only_padding_follows() {
            self.written.at = self.written.text.len();
            return None;
        }
        if previous == Some(segment.sort()) { self.next() } else { Some(segment) }
    }
}
