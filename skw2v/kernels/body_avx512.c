#define SKW2V_BODY_AVX512
#define BODY_NAME   "avx512"
#define BODY_SYMBOL skw2v_body_avx512
#include "body.h"
