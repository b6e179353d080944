//! step_4_b caught by step_4_an_entry_for: goes by the entry before when there is one for the very offset: right, and twice the reading (R1.11)
let (mut low, mut high) = (0, index.len());
while low < high {
    let middle = (low + high) / 2;
    if index.get(middle)?.offset < offset {
        low = middle + 1;
    } else {
        high = middle;
    }
}
if low == 0 { Ok(None) } else { index.get(low - 1).map(Some) }
