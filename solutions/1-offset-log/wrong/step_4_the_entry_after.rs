//! step_4_b caught by step_4: takes the first entry past the offset, so the search begins too late (R1.11)
let (mut low, mut high) = (0, index.len());
while low < high {
    let middle = (low + high) / 2;
    if index.get(middle)?.offset <= offset {
        low = middle + 1;
    } else {
        high = middle;
    }
}
if low == index.len() { Ok(None) } else { index.get(low).map(Some) }
