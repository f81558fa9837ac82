/* Hums through ingress, mix A, mix B and the desk, with days that change and processes that die.
 *
 * What is kept here is what is kept there: a variable marked `durable` is on a disk and outlives a
 * crash, all others are memory and are lost. One `d_step` is one commit. Above each transition stands
 * the function that does it; a test checks that it exists. A crash is a transition of its own, possible
 * wherever a process holds something that is not durable (elsewhere it changes nothing).
 *
 * Smaller than the real thing: a hum has two cells; hums are made on day 1, under the record of day 1 or
 * under yesterday's, and the model ends with day 3. A release is possible at any moment and takes any
 * of those held, so it covers every draw and every rhythm of ticks; a tick that draws nobody changes
 * nothing and is left out, with the empty drops that it makes. What lies at or under a cursor is never
 * read again, so the model forgets it at once (the next question trims it). Left out too: A's and B's horizon (their keys die sooner), ingress'
 * trimming by age (A is never three days behind), the desk's keys (they outlive the model).
 *
 * A day ends only when every role had its round (`clock`): what is promised is promised to an operator
 * whose processes run. LATE_HUM takes that away from A: a hum may then come between A's last
 * round of a day and the end of A's key, and is lost, which is why no page makes a hum in a record's
 * last two hours (hum 1.7).
 *
 * Planted faults, one #define each: ACK_EARLY_INGRESS, ACK_EARLY_A, ACK_EARLY_B, ACK_EARLY_DESK,
 * FORGET_SEEN, FORGET_TAKEN, RELEASE_TWICE_A, RELEASE_TWICE_B, NUMBER_APART, POOL_KEY_FIRST,
 * HOP_KEY_EARLY, HOP_KEYS_STAY.
 */

#ifndef HUMS
#define HUMS 2
#endif
#ifndef RESENDS
#define RESENDS 1
#endif
#ifndef CRASHES
#define CRASHES 1
#endif

#define PIECES 2
#define WHOLE 3                        /* both pieces */
#define CELLS (HUMS * PIECES + RESENDS)
#define PARCELS (HUMS + 2)             /* two more than there may be, for the faults */
#ifdef APART
#define LETTER_OF(hum) (hum)
#define LETTERS HUMS
#else
#define LETTER_OF(hum) ((hum) / 2)     /* hums 0 and 1 carry one letter: two tabs */
#define LETTERS ((HUMS + 1) / 2)
#endif

#define DROPS (LETTERS + 2)
#define LAST 3
#define BIT(n) (1 << (n))
#define HAS(set, n) (((set) >> (n)) & 1)

/* Which keys `src/wallflower/mix/edge/records.py:Records.forget` leaves to a mix on its day. */
#ifdef HOP_KEYS_STAY
#define KEY(day, number, life) 1
#else
#define KEY(day, number, life) ((day) < (number) + (life))
#endif
#define A_LIFE 2
#ifdef HOP_KEY_EARLY
#define B_LIFE 2
#else
#define B_LIFE 3
#endif

byte day = 1;
byte crashes = CRASHES;
byte resends = RESENDS;
bit late;                    /* LATE_HUM: a day ended once without waiting for A */

/* The sources. */
byte record[HUMS];           /* the record that a hum was made under; its number is a day's */
byte sent[HUMS];             /* pieces that left */
byte promised[HUMS];         /* pieces acknowledged within the life of A's key: what may not be lost */

/* Ingress. */
byte batch[HUMS];            /* received, not yet on the disk */
byte cells[CELLS + 1];       /* durable: 1 + hum * PIECES + piece, by number */
byte cell_last;              /* durable */

/* Mix A. */
byte a_day = 1;              /* durable: the day that a new day was begun for */
bit a_old_key;               /* durable: the pool key of the day before is still there */
byte a_cursor;               /* durable */
byte a_page;                 /* the last number of a page that was pulled and not taken; 0 is none */
byte waiting[HUMS];          /* durable: pieces gathered */
byte seen;                   /* durable: hums that were opened */
byte a_pool;                 /* durable: hums held */
byte arrived[HUMS];          /* durable: the day of each */
byte parcels[PARCELS + 1];   /* durable: hum + 1 by number */
byte parcel_last;            /* durable */

/* Mix B. */
byte b_day = 1;              /* durable */
bit b_old_key;               /* durable */
byte b_cursor;               /* durable */
byte b_page;
byte taken;                  /* durable: letters whose hash is remembered */
byte b_pool;                 /* durable: letters held */
byte b_number;               /* durable: the number of the last drop */
byte drops[DROPS + 1];       /* durable: the letters of each drop, by its place in the log */
byte drop_last;              /* durable */

/* Desk server and desk. */
byte board_head;             /* durable: the number of the newest drop that the board names */
byte d_cursor;               /* durable */
byte d_page;
byte d_number;               /* durable: the number of the last drop that was kept */
byte kept;                   /* durable: letters */

/* For the checker alone. */
byte forwarded;              /* hums that went on from A */
byte released;               /* letters that stood in a drop */

/* What the planted faults hold in memory between two halves of what ought to be one commit. */
byte a_half, b_half;

#define CRASH(something) (crashes > 0 && (something))

proctype source(byte hum) {
  byte piece;
end:
  do
  /* src/wallflower/wire/hum.py:make_hum */
  :: atomic { sent[hum] == 0 && day == 1 ->
       if
       :: record[hum] = 1
       :: record[hum] = 0 /* the last one in a store: yesterday's, still in force */
       fi;
       sent[hum] = 1; batch[hum] = 1
#ifdef ACK_EARLY_INGRESS
       ; promised[hum] = 1
#endif
     }
  /* src/wallflower/source/edge/visit.py:visit */
  :: d_step { sent[hum] == 1 && day == 1 ->
       sent[hum] = WHOLE; batch[hum] = batch[hum] | 2;
#ifdef ACK_EARLY_INGRESS
       promised[hum] = promised[hum] | 2
#endif
     }
  /* A copy, or somebody on the way who plays a cell again, on any day.
     src/wallflower/ingress/edge/routes.py:cell_route */
  :: d_step { resends > 0 && HAS(sent[hum], 0) && !HAS(batch[hum], 0) -> resends--; batch[hum] = batch[hum] | 1 }
  /* src/wallflower/ingress/edge/routes.py:cell_route */
  :: d_step { resends > 0 && HAS(sent[hum], 1) && !HAS(batch[hum], 1) -> resends--; batch[hum] = batch[hum] | 2 }
  od
}

proctype ingress() {
  byte hum, piece;
  bit any;
end:
  do
  /* src/wallflower/ingress/edge/commit.py:Commit._commit and src/wallflower/host/log.py:Log.append */
  :: d_step { batch[0] || batch[HUMS - 1] || batch[HUMS / 2] ->
       for (hum : 0 .. HUMS - 1) {
         for (piece : 0 .. PIECES - 1) {
           if
           :: HAS(batch[hum], piece) ->
                cell_last++; cells[cell_last] = 1 + hum * PIECES + piece;
                if
                :: day < record[hum] + A_LIFE -> promised[hum] = promised[hum] | BIT(piece)
                :: else
                fi
           :: else
           fi
         }
         batch[hum] = 0
       }
       hum = 0; piece = 0
     }
  :: d_step { CRASH(batch[0] || batch[HUMS - 1] || batch[HUMS / 2]) ->
       crashes--;
       for (hum : 0 .. HUMS - 1) { batch[hum] = 0 }
       hum = 0
     }
  od
}

proctype mix_a() {
  byte hum, leaving, at;
end:
  do
  /* src/wallflower/mix/edge/records.py:Records.forget, src/wallflower/mix/edge/pool.py:Pool.new_day and
     src/wallflower/mix/edge/first.py:First.forget */
#ifdef POOL_KEY_FIRST
  :: d_step { a_day != day && !a_half -> a_half = 1 } /* the key is gone, what it sealed is open in memory */
  :: d_step { a_day != day && a_half ->
       a_half = 0;
#else
  :: d_step { a_day != day ->
       a_old_key = 1;
#endif
       a_day = day;
       for (hum : 0 .. HUMS - 1) {
         if
         :: !KEY(a_day, record[hum], A_LIFE) ->
              waiting[hum] = 0; seen = seen & (255 - BIT(hum)) /* bits of 8 */
         :: else
         fi
       }
       hum = 0
     }
  /* src/wallflower/mix/edge/pool.py:Pool.forget_before, before anything else is done */
  :: d_step { a_old_key -> a_old_key = 0 }
  /* src/wallflower/host/pull.py:pull and src/wallflower/host/pull.py:log_route */
  :: atomic { a_day == day && !a_old_key && !a_page && !a_half && a_cursor < cell_last ->
       a_page = cell_last;
#ifdef ACK_EARLY_A
       a_half = a_cursor + 1; a_cursor = a_page
#endif
     }
  /* src/wallflower/mix/edge/first.py:First.take, with the cursor in one transaction */
  :: d_step { a_page ->
#ifdef ACK_EARLY_A
       at = a_half; a_half = 0;
#else
       at = a_cursor + 1;
#endif
       do
       :: at <= a_page ->
            hum = (cells[at] - 1) / PIECES;
            if
            :: KEY(a_day, record[hum], A_LIFE) && !HAS(seen, hum) ->
                 waiting[hum] = waiting[hum] | BIT((cells[at] - 1) % PIECES);
                 if
                 :: waiting[hum] == WHOLE ->
                      assert(day < record[hum] + 2); /* nothing opens under a dead key's record */
                      waiting[hum] = 0; seen = seen | BIT(hum);
                      a_pool = a_pool | BIT(hum); arrived[hum] = day
                 :: else
                 fi
            :: else
            fi;
            cells[at] = 0; at++
       :: else -> break
       od;
       a_cursor = a_page; a_page = 0; at = 0; hum = 0
     }
  /* src/wallflower/mix/edge/first.py:First.tick, src/wallflower/mix/decide.py:chosen_to_leave and
     src/wallflower/mix/decide.py:must_flush */
  :: atomic { a_day == day && !a_old_key && !a_page && !a_half && a_pool ->
       if
       :: leaving = a_pool /* all that are held, or any one of them */
       :: a_pool != 1 && HAS(a_pool, 0) -> leaving = 1
       :: a_pool != 2 && HAS(a_pool, 1) -> leaving = 2
       :: a_pool != 4 && HAS(a_pool, 2) -> leaving = 4
       fi;
       d_step {
         for (hum : 0 .. HUMS - 1) {
           if
           :: HAS(leaving, hum) ->
                assert(!HAS(forwarded, hum)); /* nothing goes on twice */
                forwarded = forwarded | BIT(hum);
                parcel_last++; parcels[parcel_last] = hum + 1
           :: else
           fi
         }
#ifdef RELEASE_TWICE_A
         a_half = leaving;
#else
         a_pool = a_pool & (255 - leaving);
#endif
         leaving = 0; hum = 0
       }
     }
#ifdef RELEASE_TWICE_A
  :: d_step { a_half -> a_pool = a_pool & (255 - a_half); a_half = 0 }
#endif
#ifdef FORGET_SEEN
  :: d_step { CRASH(1) -> crashes--; a_page = 0; seen = 0 }
#else
  :: d_step { CRASH(a_page || a_half) ->
       crashes--; a_page = 0;
#ifdef POOL_KEY_FIRST
       if
       :: a_half -> a_pool = 0
       :: else
       fi;
#endif
       a_half = 0
     }
#endif
  od
}

proctype mix_b() {
  byte letter, leaving, at;
end:
  do
  /* src/wallflower/mix/edge/records.py:Records.forget and src/wallflower/mix/edge/pool.py:Pool.new_day */
#ifdef POOL_KEY_FIRST
  :: d_step { b_day != day && !b_half -> b_half = 1 }
  :: d_step { b_day != day && b_half -> b_half = 0; b_day = day }
#else
  :: d_step { b_day != day -> b_old_key = 1; b_day = day }
#endif
  /* src/wallflower/mix/edge/pool.py:Pool.forget_before */
  :: d_step { b_old_key -> b_old_key = 0 }
  /* src/wallflower/host/pull.py:pull and src/wallflower/host/pull.py:log_route */
  :: atomic { b_day == day && !b_old_key && !b_page && !b_half && b_cursor < parcel_last ->
       b_page = parcel_last;
#ifdef ACK_EARLY_B
       b_half = b_cursor + 1; b_cursor = b_page
#endif
     }
  /* src/wallflower/mix/edge/second.py:Second.take and src/wallflower/mix/edge/second.py:Second._hold */
  :: d_step { b_page ->
#ifdef ACK_EARLY_B
       at = b_half; b_half = 0;
#else
       at = b_cursor + 1;
#endif
       do
       :: at <= b_page ->
            letter = LETTER_OF(parcels[at] - 1);
            if
            :: KEY(b_day, record[parcels[at] - 1], B_LIFE) && !HAS(taken, letter) ->
                 assert(day < record[parcels[at] - 1] + 3);
                 taken = taken | BIT(letter); b_pool = b_pool | BIT(letter)
            :: else
            fi;
            parcels[at] = 0; at++
       :: else -> break
       od;
       b_cursor = b_page; b_page = 0; at = 0; letter = 0
     }
  /* src/wallflower/mix/edge/second.py:Second.tick and src/wallflower/mix/decide.py:choose_release */
  :: atomic { b_day == day && !b_old_key && !b_page && !b_half && b_pool ->
       if
       :: leaving = b_pool /* all that are held, or any one of them */
       :: b_pool != 1 && HAS(b_pool, 0) -> leaving = 1
       :: b_pool != 2 && HAS(b_pool, 1) -> leaving = 2
       :: b_pool != 4 && HAS(b_pool, 2) -> leaving = 4
       fi;
       d_step {
         assert(!(leaving & released)); /* nothing is released twice */
         released = released | leaving;
         drop_last++; drops[drop_last] = leaving;
         assert(b_number + 1 == drop_last); /* the chain of numbers has no gap and no fork */
#ifdef NUMBER_APART
         b_half = 1; b_pool = b_pool & (255 - leaving);
#else
         b_number++;
#ifdef RELEASE_TWICE_B
         b_half = leaving;
#else
         b_pool = b_pool & (255 - leaving);
#endif
#endif
         leaving = 0; letter = 0
       }
     }
#ifdef RELEASE_TWICE_B
  :: d_step { b_half -> b_pool = b_pool & (255 - b_half); b_half = 0 }
#endif
#ifdef NUMBER_APART
  :: d_step { b_half -> b_number++; b_half = 0 }
#endif
  /* src/wallflower/mix/edge/telling.py:Telling._drop_head and src/wallflower/board/edge/board.py:Board.keep_drop_head */
  :: d_step { board_head < b_number && day == LAST -> board_head = b_number }
#ifdef FORGET_TAKEN
  :: d_step { CRASH(1) -> crashes--; b_page = 0; taken = 0 }
#else
  :: d_step { CRASH(b_page || b_half) ->
       crashes--; b_page = 0;
#ifdef POOL_KEY_FIRST
       if
       :: b_half -> b_pool = 0
       :: else
       fi;
#endif
       b_half = 0
     }
#endif
  od
}

proctype desk() {
end:
  do
  /* src/wallflower/host/pull.py:pull */
  :: atomic { !d_page && d_cursor < drop_last ->
       d_page = drop_last
#ifdef ACK_EARLY_DESK
       ; d_cursor = d_page
#endif
     }
  /* src/wallflower/desk/edge/drops.py:_keep_drop, src/wallflower/trust/drop.py:verify_drop and
     src/wallflower/desk/edge/letters.py:Letters.keep: each drop in one transaction with the cursor */
#ifdef ACK_EARLY_DESK
  :: d_step { d_page ->
       do
       :: d_number < d_page -> d_number++; kept = kept | drops[d_number]; drops[d_number] = 0
       :: else -> break
       od;
       d_page = 0
     }
#else
  :: d_step { d_page ->
       d_cursor++;
       assert(d_cursor == d_number + 1); /* the desk raises no alarm (drop 2.4) */
       d_number = d_cursor; kept = kept | drops[d_cursor]; drops[d_cursor] = 0;
       if
       :: d_cursor == d_page -> d_page = 0
       :: else
       fi
     }
#endif
  :: d_step { CRASH(d_page) ->
       crashes--;
#ifdef ACK_EARLY_DESK
       d_number = d_page;
#endif
       d_page = 0
     }
  od
}

#define INGRESS_DONE (!batch[0] && !batch[HUMS - 1] && !batch[HUMS / 2])
#define OVERDUE(hum) (HAS(a_pool, hum) && arrived[hum] < day)
#define A_DONE (a_day == day && !a_old_key && !a_half && !a_page && a_cursor == cell_last)
#define A_FLUSHED (!OVERDUE(0) && !OVERDUE(HUMS - 1) && !OVERDUE(HUMS / 2))
#define B_DONE (b_day == day && !b_old_key && !b_half && !b_page && b_cursor == parcel_last)

proctype clock() {
end:
  do
  /* src/wallflower/mix/decide.py:must_flush: what came yesterday leaves A before the day ends */
  :: d_step { day < LAST && INGRESS_DONE && A_DONE && A_FLUSHED && B_DONE -> day++ }
#ifdef LATE_HUM
  /* src/wallflower/mix/edge/mix.py:Mix.step forgets keys before it pulls */
  :: d_step { day < LAST && !late && a_day == day && !a_page && A_FLUSHED && B_DONE -> late = 1; day++ }
#endif
  od
}

/* When nothing can happen any more, everything that was promised is at the desk, and the board knows. */
proctype auditor() {
  byte hum;
end:
  timeout -> d_step {
    assert(day == LAST);
    for (hum : 0 .. HUMS - 1) {
      if
      :: promised[hum] == WHOLE -> assert(HAS(kept, LETTER_OF(hum)))
      :: else
      fi
    }
    assert(kept == released && d_number == drop_last && board_head == drop_last)
  }
}

init {
  byte hum;
  atomic {
    for (hum : 0 .. HUMS - 1) { run source(hum) }
    run ingress(); run mix_a(); run mix_b(); run desk(); run clock(); run auditor()
  }
}

/* Progress under fair scheduling, said as such: a promised letter arrives. */
ltl arrives { [] ((promised[0] == WHOLE) -> <> (kept & 1)) }
