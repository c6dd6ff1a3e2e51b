#define SKW2V_BODY_BASELINE
#define BODY_NAME   "baseline"
#define BODY_SYMBOL skw2v_body_baseline
#include "body.h"
