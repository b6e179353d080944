//! step_5_a caught by step_5: takes everybody for dead who is not waiting, however lately heard (R4.21)
let _ = self.now_ms;
!member.is_waiting()
