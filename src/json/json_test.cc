TEST(A,B){}
