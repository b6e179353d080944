//! step_3 caught by step_3: calculates what would move on average instead of counting (R2.7)
let _ = for_key;
let stay = before.min(after) as usize;
let (mut a, mut b) = (before as usize, after as usize);
while b > 0 {
    (a, b) = (b, a % b);
}
let all = before as usize * after as usize / a;
keys.len() - keys.len() * stay / all
