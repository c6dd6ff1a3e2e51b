#define SKW2V_BODY_AVX2
#define BODY_NAME   "avx2"
#define BODY_SYMBOL skw2v_body_avx2
#include "body.h"
