//! The one macro: a message of Kafka's protocol, written as a table.
//!
//! ```text
//! table! {
//!     /// What it asks. API key 3, `MetadataRequest.json`.
//!     pub struct MetadataRequest (versions 0..=12, flexible 9..) {
//!         topics: Option<Vec<MetadataRequestTopic>>,  0.., null 1..;
//!         allow_auto_topic_creation: bool = true,     4..;
//!     }
//!     pub struct MetadataRequestTopic {
//!         topic_id: Uuid,                             10..;
//!         name: Option<String>,                       0.., null 10..;
//!     }
//! }
//! ```
//!
//! A row reads: the field's name, its type, its default where that is not zero or empty, the
//! versions that have it on the wire, and the versions in which it may be null. Rows stand in the
//! order of the wire. Kafka's schemas write `3+` where we write `3..`, and `8-10` for `8..=10`.
//!
//! - `versions` and `flexible` belong to the whole message and stand on its first struct only;
//!   structs inside it follow along. A flexible version writes lengths as varints and ends every
//!   struct with tagged fields (KIP-482). `flexible ..0`: none is.
//! - A field that a version does not have is not written, and keeps its default when read.
//! - `null` needs an `Option` (or [`Records`](crate::Records)). `None` in a version that knows no
//!   null is written as an empty string or array; null in such a version is refused when read.
//! - Tagged fields follow the rows: `tagged { 0 = diverging_epoch: EpochEndOffset, 12..; }`. They
//!   are written only when they differ from their default. Unknown tags are skipped.
//! - Tags from 10,000 on are not Kafka's but ours: what our brokers tell each other beyond its
//!   schemas. Kafka counts its tags of a struct from 0 up, so the two will not meet, and whoever
//!   does not know ours skips it.
//!
//! From one table come the struct with Kafka's defaults, and its [`Field`](crate::primitives::Field)
//! implementation: one `read` for every [`Source`](crate::primitives::Source) and one `write` for
//! every [`Sink`](crate::primitives::Sink). The size of a message is its `write` into a sink that
//! only counts, so size and bytes cannot disagree.

macro_rules! table {
    ($(
        $(#[$doc:meta])*
        pub struct $name:ident $((versions $versions:expr, flexible $flexible:expr))? {
            $(
                $(#[$field_doc:meta])*
                $field:ident: $type:ty $(= $default:expr)?, $in:expr $(, null $null:expr)?;
            )*
        }
        $(tagged {
            $(
                $(#[$tag_doc:meta])*
                $tag:literal = $tag_field:ident: $tag_type:ty $(= $tag_default:expr)?,
                $tag_in:expr $(, null $tag_null:expr)?;
            )*
        })?
    )*) => {
        use crate::primitives::{Field, Malformed, Message, Sink, Source, Version};

        $($(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $( $(#[$field_doc])* pub $field: $type, )*
            $($( $(#[$tag_doc])* pub $tag_field: $tag_type, )*)?
        }

        impl Default for $name {
            fn default() -> Self {
                $name {
                    $( $field: crate::table::default!($($default)?), )*
                    $($( $tag_field: crate::table::default!($($tag_default)?), )*)?
                }
            }
        }

        impl Field for $name {
            fn min_size(v: Version) -> usize {
                let mut size = usize::from(v.flexible); // the count of tagged fields
                $( if ($in).contains(&v.number) {
                    size += <$type>::min_size(v);
                } )*
                size
            }

            fn read<S: Source>(
                source: &mut S,
                v: Version,
            ) -> Result<Self, Malformed> {
                let mut value = Self::default();
                $( if ($in).contains(&v.number) {
                    let v = v.nullable(false $(|| ($null).contains(&v.number))?);
                    value.$field = Field::read(source, v)
                        .map_err(|problem| problem.inside(stringify!($field)))?;
                } )*
                if v.flexible {
                    source.tagged(&mut |_source: &mut S, tag| {
                        match tag {
                            $($( $tag if ($tag_in).contains(&v.number) => {
                                let v = v.nullable(false $(|| ($tag_null).contains(&v.number))?);
                                value.$tag_field = Field::read(_source, v)
                                    .map_err(|problem| problem.inside(stringify!($tag_field)))?;
                                Ok(true)
                            } )*)?
                            _ => Ok(false),
                        }
                    })?;
                }
                Ok(value)
            }

            fn write<S: Sink>(
                &self,
                sink: &mut S,
                v: Version,
            ) {
                $( if ($in).contains(&v.number) {
                    let v = v.nullable(false $(|| ($null).contains(&v.number))?);
                    Field::write(&self.$field, sink, v);
                } )*
                if v.flexible {
                    let _default = Self::default;
                    let count = 0 $($( + u32::from(
                        ($tag_in).contains(&v.number)
                            && self.$tag_field != _default().$tag_field
                    ) )*)?;
                    sink.tags(count);
                    $($( if ($tag_in).contains(&v.number)
                        && self.$tag_field != _default().$tag_field
                    {
                        let v = v.nullable(false $(|| ($tag_null).contains(&v.number))?);
                        sink.tagged($tag, &self.$tag_field, v);
                    } )*)?
                }
            }
        }

        $(impl Message for $name {
            const NAME: &'static str = stringify!($name);
            const VERSIONS: std::ops::RangeInclusive<i16> = $versions;

            fn is_flexible(version: i16) -> bool {
                ($flexible).contains(&version)
            }
        })?
    )*};
}

/// A row's default: what it says, or the type's own.
macro_rules! default {
    () => {
        Default::default()
    };
    ($default:expr) => {
        $default
    };
}

pub(crate) use {default, table};
